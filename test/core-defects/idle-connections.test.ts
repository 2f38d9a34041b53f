/** Defects 1 and 2: idle connections that are kept too long, or handed out dead. */
import assert from 'node:assert/strict';
import { asNode } from '../contract/support.js';
import { get, httpsServer } from '../support/server.js';
import { defect } from './support.js';
import type { Bench } from './support.js';

const idle = (agent: { freeSockets: object }): number => Object.values(agent.freeSockets).flat().length;

for (const header of ['timeout=2', 'max=5, timeout=2', 'max=100,  TIMEOUT = 2']) {
  defect(
    `1. a server's "Keep-Alive: ${header}" is not heeded`,
    { symptom: /in vain: closed before the server does/ },
    async ({ t, agent: make, until }) => {
      const server = await httpsServer(t, (_req, res) => {
        res.setHeader('keep-alive', header);
        res.end();
      });
      const agent = make({ ca: server.ca, agentKeepAliveTimeoutBuffer: 1900 });
      await get(server, { agent });
      await until(() => asNode(agent).totalSocketCount === 0, 'closed before the server does');
    },
  );
}

async function handsOutNoDeadSocket({ t, agent: make, until, soon }: Bench, which: number): Promise<void> {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca, scheduling: 'lifo' });
  await Promise.all([1, 2, 3].map(() => get(server, { agent })));
  await until(() => idle(agent) > 0, 'idle');
  const dead = Object.values(agent.freeSockets).flat().at(which);
  dead?.destroy();
  // In the same tick: 'close' has not been emitted.
  const answer = await soon(get(server, { agent, path: '/alive' }), 'an answer');
  assert.equal(answer.body, '/alive');
  assert.notEqual(answer.req.socket, dead);
}

defect(
  '2. LIFO hands out a destroyed connection',
  { symptom: /socket hang up|in vain|ECONNRESET|was destroyed|closed/ },
  (bench) => handsOutNoDeadSocket(bench, -1),
);
