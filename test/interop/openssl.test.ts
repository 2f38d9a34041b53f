/** openssl s_server: how many tickets it gives, and tickets that it takes only once. */
import assert from 'node:assert/strict';
import { poolingAgent } from '../support/agent.js';
import { askOnce, sequence } from './client.js';
import { testWith } from './real-server.js';
import type { Settings } from './real-server.js';
import { startSServer } from './s-server.js';
import { suite } from './suite.js';

const test = testWith('openssl');

suite(test, startSServer, { keepAlive: false, limitsRequests: false, cachesTls13: true });

const TICKETS: Settings = { protocol: 'TLSv1.3', tickets: true, cache: true };

/** With early data allowed, OpenSSL takes each ticket only once: what it has seen before is a replay. */
const KINDS = { reusable: [], 'single-use': ['-max_early_data', '16384'] };

test('no tickets: nothing resumes', async (t) => {
  const server = await startSServer(t, { ...TICKETS, more: ['-num_tickets', '0'] });
  const agent = poolingAgent(t, { ca: server.ca });
  assert.deepEqual(await sequence(server, agent, 4), [false, false, false, false]);
});

for (const count of [1, 2, 4]) {
  for (const [kind, flags] of Object.entries(KINDS)) {
    test(`${count} ${kind} ticket(s) from each full handshake: as many resume at once`, async (t) => {
      const more = ['-num_tickets', String(count), ...flags];
      const server = await startSServer(t, { ...TICKETS, more });
      const agent = poolingAgent(t, { ca: server.ca });
      assert.equal((await askOnce(server, agent)).resumed, false);
      const answers = await Promise.all(Array.from({ length: count }, () => askOnce(server, agent)));
      for (const { resumed } of answers) assert.ok(resumed);
      assert.deepEqual(await sequence(server, agent, 4), [true, true, true, true]);
    });
  }
}

test('more connections at once than single-use tickets: those without one make a full handshake', async (t) => {
  const more = ['-num_tickets', '2', ...KINDS['single-use']];
  const server = await startSServer(t, { ...TICKETS, more });
  const agent = poolingAgent(t, { ca: server.ca });
  await askOnce(server, agent);
  for (let round = 0; round < 3; round++) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => askOnce(server, agent)));
    const resumed = answers.filter((answer) => answer.resumed).length;
    assert.ok(resumed >= 2, `round ${round}: ${resumed} of 10`);
  }
});
