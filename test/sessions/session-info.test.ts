/** What a session says about itself, and that nothing else is believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readSession } from '../../src/sessions/session-info.js';
import { httpsServer } from '../support/server.js';
import { integer, makeSession, receiveSessions } from './sessions.js';

const DAY = 24 * 60 * 60;

for (const [version, singleUse] of [
  ['TLSv1.2', false],
  ['TLSv1.3', true],
] as const) {
  test(`a session of ${version}, from a server`, async (t) => {
    const server = await httpsServer(t, undefined, { maxVersion: version, sessionTimeout: 1234 });
    const before = Math.floor(Date.now() / 1000) * 1000;
    const [session] = await receiveSessions(server, 1);
    assert.ok(session);
    const info = readSession(session);
    assert.ok(info);
    assert.equal(info.singleUse, singleUse);
    assert.equal(info.lifetime, 1_234_000);
    assert.ok(info.issuedAt >= before && info.issuedAt <= Date.now(), `issued at ${info.issuedAt}`);
  });
}

test('a session made by hand reads like one from OpenSSL', () => {
  assert.deepEqual(readSession(makeSession({ issuedAt: 1_700_000_000, lifetimeHint: 300 })), {
    singleUse: true,
    issuedAt: 1_700_000_000_000,
    lifetime: 300_000,
  });
});

test('no session lives for longer than its protocol allows', () => {
  const lifetime = (version: number, lifetimeHint: number): number | undefined =>
    readSession(makeSession({ version, lifetimeHint }))?.lifetime;
  assert.equal(lifetime(0x0304, 7 * DAY), 7 * DAY * 1000);
  assert.equal(lifetime(0x0304, 8 * DAY), 7 * DAY * 1000);
  assert.equal(lifetime(0x0304, 2 ** 32 - 1), 7 * DAY * 1000);
  assert.equal(lifetime(0x0303, DAY), DAY * 1000);
  assert.equal(lifetime(0x0303, 7 * DAY), DAY * 1000);
});

test('a lifetime of zero: discard at once in TLS 1.3, unspecified before', () => {
  assert.equal(readSession(makeSession({ version: 0x0304, lifetimeHint: 0, timeout: 7200 }))?.lifetime, 0);
  assert.equal(
    readSession(makeSession({ version: 0x0303, lifetimeHint: 0, timeout: 7200 }))?.lifetime,
    7_200_000,
  );
});

test('rubbish is no session, and nothing throws', () => {
  const real = makeSession({ issuedAt: 1_700_000_000, lifetimeHint: 300 });
  for (let length = 0; length < real.length; length++) {
    assert.equal(readSession(real.subarray(0, length)), undefined, `the first ${length} bytes`);
  }
  assert.equal(readSession(Buffer.concat([real, Buffer.of(0)])), undefined, 'a byte too many');
  assert.equal(readSession(makeSession({ version: 0x0305 })), undefined, 'a protocol to come');
  assert.equal(readSession(Buffer.concat([Buffer.of(0x30, 3), integer(1)])), undefined, 'nothing in it');

  const isTotal = (bytes: Uint8Array): void => {
    const info = readSession(bytes);
    if (!info) return;
    assert.ok(Number.isSafeInteger(info.issuedAt) && info.issuedAt >= 0);
    assert.ok(info.lifetime >= 0 && info.lifetime <= 7 * DAY * 1000);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), isTotal), { numRuns: 2000 });
  const damage = fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, fc.nat(real.length), (changes, length) => {
      const bytes = Buffer.from(real);
      for (const [at, value] of changes) bytes[at] = value;
      isTotal(bytes);
      isTotal(bytes.subarray(0, length));
    }),
    { numRuns: 5000 },
  );
});
