/**
 * A server ends an idle connection, or sends something on it, while the client's event loop is busy; then the client
 * sends a request, before the loop has polled. All that could have been known lies in the kernel: who looks before
 * the connection is used opens another one, also for a request that must not be sent twice.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { poolingAgent } from '../support/agent.js';
import { block } from '../support/block.js';
import { threadedFaultServer } from '../support/fault-server/index.js';
import type { IdleFault } from '../support/fault-server/idle-faults.js';
import { TaggedClient } from '../support/tagged-client.js';

const FAULTS: readonly IdleFault[] = ['fin', 'end', 'rst', 'timeout-408', 'stray', 'garbage'];
const ROUNDS = 5;
const PATIENCE = 20_000;

const server = await threadedFaultServer({ after }, { seed: 1 });

/** Milliseconds: longer than what counts as just now. */
const BLOCK = 5;

for (const fault of FAULTS) {
  for (const method of ['GET', 'POST'] as const) {
    for (const idle of [0, 30]) {
      test(`${fault} before a ${method}, after ${idle} ms of rest`, { timeout: 120_000 }, async (t) => {
        const client = new TaggedClient(poolingAgent(t, { ca: server.ca }), `${fault}-${method}-${idle}-`);
        const body = method === 'POST' ? { body: 'once' } : {};
        for (let i = 0; i < ROUNDS; i++) {
          const before = server.idleFaults();
          await client.send({ server, patience: PATIENCE, headers: { 'x-idle': `${fault} ${idle + 5}` } });
          if (idle > 0) await sleep(idle);
          block(BLOCK, () => server.idleFaults() > before);
          assert.equal(await client.send({ server, method, patience: PATIENCE, ...body }), 'answered');
        }
        const { repeatedByMethod } = await server.statistics();
        assert.equal(repeatedByMethod['POST'], undefined, 'no POST was sent twice');
      });
    }
  }
}
