/** The counts of `agent.stats()` are those of the server, under any faults. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { byEffort } from '../support/effort.js';
import { faultServer } from '../support/fault-server/index.js';
import { HANDSHAKE_FAULTS } from '../support/fault-server/handshake-faults.js';
import { IDLE_FAULTS } from '../support/fault-server/idle-faults.js';
import { REQUEST_FAULTS } from '../support/fault-server/request-faults.js';
import { TaggedClient } from '../support/tagged-client.js';
import { until } from '../support/until.js';

const REQUESTS = byEffort(300);
const CONCURRENCY = 8;
/** Milliseconds that a client waits for an answer. */
const PATIENCE = 400;

function each(names: object, probability: number): Record<string, number> {
  return Object.fromEntries(Object.keys(names).map((name) => [name, probability]));
}

for (const seed of [1, 2, 3]) {
  test(`connections, handshakes and requests, seed ${seed}`, { timeout: 120_000 }, async (t) => {
    const server = await faultServer(t, {
      seed,
      requests: each(REQUEST_FAULTS, 0.003),
      idle: each(IDLE_FAULTS, 0.03),
      handshakes: each(HANDSHAKE_FAULTS, 0.01),
    });
    const agent = poolingAgent(t, {
      ca: server.ca,
      maxSockets: CONCURRENCY - 2,
      connectTimeout: 2 * PATIENCE,
    });
    const client = new TaggedClient(agent);
    let sent = 0;
    await Promise.all(
      Array.from({ length: CONCURRENCY }, async () => {
        while (sent++ < REQUESTS)
          await client.send({ server, patience: PATIENCE, ...(sent % 3 === 0 && { body: 'x' }) });
      }),
    );
    await until(() => activeCount(agent) === 0 && waitingCount(agent) === 0);
    await agent.close();
    const { handshakes, opened, replayed, requests } = agent.stats({ hosts: false });
    const ready = handshakes.full + handshakes.resumed;
    const seen = await server.statistics();
    t.diagnostic(JSON.stringify({ opened, replayed, ...handshakes, seen: { ...seen, faults: undefined } }));
    assert.equal(requests, REQUESTS);
    // A dial may be given up before its connection is accepted.
    assert.ok(seen.accepted <= opened && seen.accepted >= ready, `${seen.accepted} accepted`);
    // One side may lose it before the other side has it.
    assert.ok(
      seen.resumed <= handshakes.resumed && seen.connections <= ready,
      `${seen.connections} established`,
    );
    // No request is sent once more that is not counted as replayed, and whatever was answered has come.
    assert.ok(seen.requests <= requests + replayed, `${seen.requests} requests came`);
    assert.ok(seen.requests >= client.outcomes.answered);
  });
}
