// The use that the projects of `npm run check:loads` make of the package, as the body of an async function, and how they come to what it needs.

export const NAME = 'pooling-https-agent';

/** The steps of each project: an agent is made, and fails to connect; an error has its code; the limits are live. */
export const BODY = `
  const agent = new PoolingAgent({ maxSockets: 1, sessionCache: new SessionCache() });
  const code = await new Promise((resolve) => get({ host: '127.0.0.1', port: 1, agent }).on('error', (e) => resolve(e.code)));
  if (code !== 'ECONNREFUSED') throw new Error('Not refused, but ' + code);
  if (!(agent instanceof Agent) || agent.maxSockets !== 1) throw new Error('no agent');
  if (typeof enableDebug !== 'function' || typeof PoolQueueError !== 'function') throw new Error('not whole');
  agent.destroy();`;
const NAMES = '{ enableDebug, PoolingAgent, PoolQueueError, SessionCache }';
export const ESM = `import ${NAMES} from '${NAME}';\nimport { Agent, get } from 'node:https';\n`;
export const CJS = `const ${NAMES} = require('${NAME}');\nconst { Agent, get } = require('node:https');\n`;
