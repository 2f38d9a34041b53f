/** The fields of a session, and that no other bytes are taken for one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
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

/** DER by hand: an element with a short length. */
function element(tag: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  return Buffer.concat([Buffer.of(tag, bytes.length), bytes]);
}
const octets = element(0x04, Buffer.of(1, 2));
const number = (...bytes: number[]): Buffer => element(0x02, Buffer.from(bytes));
const TLS_1_3 = number(0x03, 0x04);
const HEAD = [number(1), TLS_1_3, octets, octets, octets];
const TIME = element(0xa1, number(100));
const HINT = element(0xa9, number(50));

test('only what is exactly of that shape is a session', () => {
  const read = (...members: Buffer[]) => readSession(element(0x30, ...members));
  const expected = { singleUse: true, issuedAt: 100_000, lifetime: 50_000 };
  assert.deepEqual(read(...HEAD, TIME, HINT), expected);
  assert.deepEqual(
    read(...HEAD, TIME, element(0xa3, Buffer.of(9)), HINT),
    expected,
    'others are passed over',
  );
  assert.deepEqual(read(...HEAD), { singleUse: true, issuedAt: 0, lifetime: 0 });
  assert.ok(read(number(1), number(0x03, 0x00), octets, octets, octets), 'SSL 3');
  const wrong: Record<string, Buffer[]> = {
    'another structure': [number(2), ...HEAD.slice(1), TIME, HINT],
    'a structure that is no number': [octets, ...HEAD.slice(1)],
    'an older protocol': [number(1), number(0x02, 0x7f), octets, octets, octets],
    'a later protocol': [number(1), number(0x03, 0x05), octets, octets, octets],
    'a protocol that is no number': [number(1), octets, octets, octets, octets],
    'two texts': HEAD.slice(0, 4),
    'no text at first': [number(1), TLS_1_3, number(1), octets, octets],
    'no text at last': [number(1), TLS_1_3, octets, octets, number(1)],
    'a tag of another class': [...HEAD, element(0x31, number(1))],
    'a tag twice': [...HEAD, TIME, TIME],
    'tags in another order': [...HEAD, HINT, TIME],
    'a tag of more than one byte': [...HEAD, element(0xbf, number(1))],
    'a time that is no number': [...HEAD, element(0xa1, octets)],
    'a time with something behind it': [...HEAD, element(0xa1, number(1), number(1))],
    'a negative time': [...HEAD, element(0xa1, number(0x80))],
    'a time that is not in its shortest form': [...HEAD, element(0xa1, number(0, 1))],
    'a time of no bytes': [...HEAD, element(0xa1, number())],
    'a time of seven bytes': [...HEAD, element(0xa1, number(1, 0, 0, 0, 0, 0, 0))],
    'a length without an end': [...HEAD, Buffer.of(0xa1, 0x80)],
    'a length that is not in its shortest form': [...HEAD, Buffer.of(0xa1, 0x81, 3, 2, 1, 1)],
    'a length of more than there is': [...HEAD, Buffer.of(0xa1, 4, 2, 1, 1)],
    'a byte too many': [...HEAD, Buffer.of(0xa1)],
  };
  for (const [name, members] of Object.entries(wrong)) assert.equal(read(...members), undefined, name);
  assert.equal(readSession(element(0x31, ...HEAD)), undefined, 'no sequence');
  assert.deepEqual(read(...HEAD, element(0xa1, number(0, 0x80)))?.issuedAt, 128_000);
});
