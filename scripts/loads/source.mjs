// The use that the projects of `npm run check:loads` make of the package, as the body of an async function, and how they come to what it needs.

export const NAME = 'pooling-https-agent';

/** The steps of each project: an agent is made, and fails to connect, with one set of TLS options and with another (for which it loads a package), and to a proxy (for which it loads a file of its own); an error has its code; the limits are live; counts and the end in peace come out of another file. */
export const BODY = `
  const agent = new PoolingAgent({ maxSockets: 1, sessionCache: new SessionCache() });
  const proxied = new PoolingAgent({ proxy: 'http://127.0.0.1:1' });
  for (const options of [{ agent }, { agent, rejectUnauthorized: false }, { agent: proxied }]) {
    const code = await new Promise((resolve) => get({ host: '127.0.0.1', port: 1, ...options }).on('error', (e) => resolve(e.code)));
    if (code !== 'ECONNREFUSED') throw new Error('Not refused, but ' + code);
  }
  if (!(agent instanceof Agent) || agent.maxSockets !== 1) throw new Error('no agent');
  if (agent.stats().requests !== 2) throw new Error('not counted');
  if (typeof enableDebug !== 'function' || typeof PoolQueueError !== 'function') throw new Error('not whole');
  await agent.close();
  agent.destroy();`;
const NAMES = '{ enableDebug, PoolingAgent, PoolQueueError, SessionCache }';
export const ESM = `import ${NAMES} from '${NAME}';\nimport { Agent, get } from 'node:https';\n`;
export const CJS = `const ${NAMES} = require('${NAME}');\nconst { Agent, get } = require('node:https');\n`;
