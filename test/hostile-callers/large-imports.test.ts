/** Exports of sessions of any size are imported, or refused before anything is done with them: nothing is a call with as many arguments. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SessionCache } from '../../src/index.js';
import { sealExport } from '../../src/sessions/session-export.js';
import { LIMIT } from '../contract/support.js';
import { makeNodeSession } from '../sessions/sessions.js';

test('an import of 130,000 sessions of one identity is taken in, as far as there is room', LIMIT, () => {
  const key = randomBytes(32);
  const issuedAt = Math.floor(Date.now() / 1000);
  const made = (ticket: string): Buffer => makeNodeSession({ issuedAt, lifetimeHint: 7200, ticket });
  const exported = (count: number): Buffer => {
    // They are made once: an import knows them by their bytes.
    const sessions = Array.from<Buffer>({ length: count }).fill(made('old'));
    sessions.push(made('newest'));
    return sealExport([{ id: 'x', clientCertificate: false, sessions }], key);
  };
  const blob = exported(130_000);

  const cache = new SessionCache();
  assert.equal(cache.import(blob, { key }), 32);
  const smaller = exported(100);
  assert.equal(cache.import(smaller, { key }), 0, 'there is no room for more');
  assert.deepEqual(cache.take('x'), made('newest'));
  assert.equal(cache.import(smaller, { key }), 1);

  const endless = new SessionCache({ maxTicketsPerIdentity: Infinity });
  assert.equal(endless.import(blob, { key }), 130_001);
  assert.deepEqual(endless.take('x'), made('newest'));
});

test('an import that is too large is refused with a code, before anything is done with it', LIMIT, () => {
  const cache = new SessionCache();
  const blob = Buffer.alloc(256 * 1024 * 1024 + 1);
  assert.throws(() => cache.import(blob, { key: randomBytes(32) }), {
    code: 'ERR_SESSION_IMPORT_FORMAT',
    message: /has more than 268435456 bytes/,
  });
  assert.equal(cache.size, 0);
});
