/** Node's own server. */
import assert from 'node:assert/strict';
import { poolingAgent } from '../support/agent.js';
import { sequence } from './client.js';
import { startNode } from './node-server.js';
import { testAlways as test } from './real-server.js';
import { suite } from './suite.js';

suite(test, startNode, { keepAlive: true, limitsRequests: true, cachesTls13: false });

for (const protocol of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`${protocol}: new ticket keys under a running server cost one full handshake`, async (t) => {
    const server = await startNode(t, { protocol, tickets: true, cache: false });
    const agent = poolingAgent(t, { ca: server.ca });
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await sequence(server, agent, 4), [false, true, true, true]);
      server.rotateTicketKeys();
    }
  });
}
