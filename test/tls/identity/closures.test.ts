/** Functions and objects that come with one request and never again: they share with nobody, and leave nothing behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { Identities } from '../../../src/identity/identity.js';
import { partsOf, idleCount, poolingAgent, poolOf } from '../../support/agent.js';
import { get, httpsServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { identities } from './support.js';
import type { Options } from './support.js';

const LIMIT = { timeout: 120_000 };
/** Profiles that may be a single request's, at a time. */
const MAX_NEW = 8;

const context = createSecureContext();

const ONCE: Record<string, readonly [count: number, () => Options]> = {
  checkServerIdentity: [10_000, () => ({ checkServerIdentity: () => undefined })],
  lookup: [10_000, () => ({ lookup: () => undefined })],
  secureContext: [10_000, () => ({ secureContext: Object.create(context) as unknown })],
};

for (const [name, [count, options]] of Object.entries(ONCE)) {
  test(`${count} of ${name} leave nothing behind, and others in peace`, () => {
    let forgotten = 0;
    const all = new Identities<object>(
      () => ({}),
      () => forgotten++,
    );
    const ordinary = Array.from({ length: 200 }, (_, i) =>
      all.resolve({ host: 'a', passphrase: `${i}` }, {}, undefined),
    );
    const shared = { host: 'a', ...options() };
    const known = all.resolve(shared, {}, undefined);
    all.resolve(shared, {}, undefined);
    for (let i = 0; i < count; i++) {
      const origin = all.resolve({ host: 'a', ...options() }, { ca: 'ca' }, undefined);
      assert.equal(origin.profile.onProbation, true);
      // Some are still open when the next ones come.
      if (i % 3) all.retire(origin);
    }
    assert.ok(all.size <= ordinary.length + 1 + MAX_NEW, `${all.size} profiles`);
    assert.ok(forgotten > count / 4);
    for (const [i, origin] of ordinary.entries()) {
      assert.equal(all.resolve({ host: 'a', passphrase: `${i}` }, {}, undefined), origin);
    }
    assert.equal(all.resolve(shared, {}, undefined), known);
  });
}

test('those that come twice take the place of their like, not of others', () => {
  const all = identities();
  const ordinary = all.resolve({ host: 'a', ca: 'one' }, {}, undefined);
  for (let i = 0; i < 2000; i++) {
    const options = { host: 'a', checkServerIdentity: () => undefined };
    const first = all.resolve(options, {}, undefined);
    // A redirect, or a retry.
    assert.equal(all.resolve({ ...options }, {}, undefined), first);
    assert.equal(first.profile.onProbation, false);
  }
  assert.equal(all.resolve({ host: 'a', ca: 'one' }, {}, undefined), ordinary);
  assert.ok(all.size <= 300);
});

test('values without end leave a bounded number of profiles', () => {
  const all = identities();
  for (let i = 0; i < 3000; i++) all.resolve({ host: 'a', passphrase: `${i}` }, {}, undefined);
  assert.ok(all.size <= 256, `${all.size} profiles`);
});

test('over TLS: no connection, no session, no context stays for them', LIMIT, async (t) => {
  const server = await httpsServer(t);
  // A request does not repeat the agent's options: its options have changed when the dial reads them again.
  // However long the handshakes take, the first connection is still there.
  const agent = poolingAgent(t, { ca: server.ca, idleTimeout: Infinity });
  const plain = { agent, ca: undefined as never };
  await get(server, plain);
  const sessions = agent['_sessionCache' as never] as { list: unknown[] };
  const before = sessions.list.length;
  const COUNT = 50;
  for (let i = 0; i < COUNT; i++) await get(server, { ...plain, checkServerIdentity: () => undefined });
  assert.equal(server.connections(), 1 + COUNT);
  await until(() => agent.totalSocketCount <= 1 + MAX_NEW);
  const { hosts, tls } = partsOf(agent);
  const known = hosts.identities;
  assert.ok(known.size <= 1 + MAX_NEW, `${known.size} profiles`);
  assert.equal(tls?.contexts.size, 1);
  assert.equal(sessions.list.length, before);
  // The former ones are still there.
  await get(server, plain);
  assert.equal(server.connections(), 1 + COUNT);
});

test('over TLS: many at once, then none', LIMIT, async (t) => {
  const server = await httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end());
  const agent = poolingAgent(t, { ca: server.ca });
  const ask = (): Promise<unknown> =>
    get(server, { agent, ca: undefined as never, checkServerIdentity: () => undefined });
  await Promise.all(Array.from({ length: 60 }, ask));
  await until(() => agent.totalSocketCount === 0);
  assert.equal(idleCount(agent), 0);
  assert.equal(poolOf(agent).hosts.size, 0);
  // The last one may come again.
  assert.ok(partsOf(agent).hosts.identities.size <= 1);
});

test('over TLS: one and the same function shares from the first request on', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  let checks = 0;
  const checkServerIdentity = (): undefined => void checks++;
  for (let i = 0; i < 10; i++) await get(server, { agent, ca: undefined as never, checkServerIdentity });
  assert.equal(server.connections(), 1);
  assert.equal(checks, 1);
});
