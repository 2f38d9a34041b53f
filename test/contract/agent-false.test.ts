/** `agent: false` where the global agent is a PoolingAgent: an agent of its own for one request, which is the last on its connection. */
import assert from 'node:assert/strict';
import type https from 'node:https';
import type { RequestOptions } from 'node:https';
import { after, before, test } from 'node:test';
import { nodes, PoolingAgent } from '../support/protocol.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { LIMIT } from './support.js';

class OwnAgent extends PoolingAgent {
  constructor(options?: PoolingAgentOptions) {
    super({ maxSockets: 5, ...options });
  }
}

const original = nodes.globalAgent;
const GLOBAL: Record<string, https.Agent> = {
  "Node's agent": original,
  PoolingAgent: new PoolingAgent(),
  'a subclass': new OwnAgent(),
};

before(() => void (nodes.globalAgent = original));
after(() => void (nodes.globalAgent = original));

interface Heard {
  readonly connection: string | undefined;
  readonly agent: https.Agent;
}

function ask(server: TestServer, options: RequestOptions): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const { port, ca } = server;
    const req = nodes.request({ host: 'localhost', port, ca, agent: false, ...options }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      res.on('end', () =>
        resolve({ connection: body || undefined, agent: Reflect.get(req, 'agent') as https.Agent }),
      );
    });
    req.on('error', reject).end();
  });
}

const HEADERS: Record<string, RequestOptions> = {
  'no headers': {},
  headers: { headers: { 'x-y': 'z' } },
  'a list of headers': { headers: ['Host', 'localhost', 'X-Y', 'Connection: keep-alive'] },
  'a list of pairs': { headers: [['Host', 'localhost']] as never },
  'an Expect header': { headers: { Expect: '100-continue' } },
  'a body': { method: 'POST', headers: { 'content-length': 0 } },
};

const SAID: Record<string, RequestOptions> = {
  'a header': { headers: { connection: 'keep-alive' } },
  'a list': { headers: ['Host', 'localhost', 'Connection', 'keep-alive'] },
  'a header beside Expect': { headers: { Connection: 'keep-alive', Expect: '100-continue' } },
};

for (const [name, agent] of Object.entries(GLOBAL)) {
  test(
    `${name} as global agent: the request says close, and the connection is not kept`,
    LIMIT,
    async (t) => {
      const server = await httpsServer(t, (req, res) => res.end(req.headers.connection));
      nodes.globalAgent = agent;
      for (const [kind, options] of Object.entries(HEADERS)) {
        const { connection, agent: own } = await ask(server, options);
        assert.equal(connection, 'close', kind);
        assert.notEqual(own, agent);
        assert.equal(own.constructor, agent.constructor);
      }
      for (const [kind, options] of Object.entries(SAID)) {
        assert.equal(
          (await ask(server, options)).connection,
          'keep-alive',
          `what the caller says stays: ${kind}`,
        );
      }
      await until(() => server.open() === 0);
    },
  );
}

test(
  'the agent that is made with no options is one that keeps connections, for everybody else',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t, (req, res) => res.end(req.headers.connection));
    const { constructor } = GLOBAL['a subclass'] as object;
    const agent = new (constructor as typeof OwnAgent)();
    t.after(() => agent.destroy());
    assert.equal(agent.keepAlive, true);
    for (let i = 0; i < 3; i++) assert.equal((await ask(server, { agent })).connection, 'keep-alive');
    assert.equal(server.connections(), 1);
  },
);
