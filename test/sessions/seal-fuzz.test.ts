/** Sealed exports, at random: what was sealed comes out, with the right key only; whatever else comes in is refused with a code. */
import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { SessionCache } from '../../src/index.js';
import { openExport, sealExport } from '../../src/sessions/session-export.js';
import { seal, unseal } from '../../src/sessions/seal.js';
import { makeNodeSession } from './sessions.js';

const LIMIT = { timeout: 120_000 };

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
/** Bytes as keys: a passphrase takes its time, on purpose. */
const key = fc.uint8Array({ minLength: 16, maxLength: 64 });

function codeOf(action: () => unknown): unknown {
  try {
    action();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof Error);
    return Reflect.get(error, 'code');
  }
}

test('what was sealed comes out with the same key, in whatever form', LIMIT, () => {
  fc.assert(
    fc.property(bytes, key, (content, secret) => {
      const blob = seal(content, secret);
      assert.deepEqual(unseal(blob, Buffer.from(secret)), content);
      assert.deepEqual(unseal(blob, createSecretKey(secret)), content);
      // The offset in a larger buffer.
      const around = Buffer.concat([Buffer.from('before'), blob, Buffer.from('behind')]);
      assert.deepEqual(unseal(around.subarray(6, 6 + blob.length), secret), content);
      if (content.length > 3) assert.ok(!blob.includes(content));
      assert.notDeepEqual(seal(content, secret), blob);
    }),
  );
});

test('another key, or one change anywhere, and nothing comes out', LIMIT, () => {
  fc.assert(
    fc.property(
      bytes,
      key,
      key,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (content, one, other, at, change) => {
        const blob = seal(content, one);
        if (!Buffer.from(one).equals(Buffer.from(other))) {
          assert.equal(
            codeOf(() => unseal(blob, other)),
            'ERR_SESSION_IMPORT_KEY',
          );
        }
        const place = at % blob.length;
        const changed = Buffer.from(blob);
        changed[place] = (changed[place] ?? 0) ^ change;
        const expected = place < 4 ? 'FORMAT' : place === 4 ? 'VERSION' : 'KEY';
        assert.equal(
          codeOf(() => unseal(changed, one)),
          `ERR_SESSION_IMPORT_${expected}`,
        );
        assert.match(
          String(codeOf(() => unseal(blob.subarray(0, place), one))),
          /^ERR_SESSION_IMPORT_(FORMAT|KEY)$/,
        );
      },
    ),
    { numRuns: 300 },
  );
});

test('bytes that nobody sealed are refused, whatever they are', LIMIT, () => {
  const cache = new SessionCache();
  const blob = fc.oneof(
    bytes,
    bytes.map((rest) => Buffer.concat([Buffer.from('PHAS\u0001', 'latin1'), rest])),
  );
  fc.assert(
    fc.property(blob, key, (random, secret) => {
      assert.match(String(codeOf(() => cache.import(random, { key: secret }))), /^ERR_SESSION_IMPORT_/);
      assert.equal(cache.size, 0);
    }),
    { numRuns: 500 },
  );
});

/** Contents that somebody with the key could seal. */
const content = fc.oneof(
  fc.json(),
  fc.string(),
  fc
    .array(fc.tuple(fc.string(), fc.boolean(), fc.array(fc.base64String(), { maxLength: 3 })), {
      maxLength: 3,
    })
    .map((entries) => JSON.stringify(entries)),
);

test(
  'with the right key, content that is no export is refused, and sessions that are none are not kept',
  LIMIT,
  () => {
    const secret = Buffer.alloc(32, 7);
    fc.assert(
      fc.property(content, (text) => {
        const cache = new SessionCache();
        const blob = seal(Buffer.from(text), secret);
        const code = codeOf(() => {
          assert.equal(cache.import(blob, { key: secret }), 0);
        });
        assert.ok(code === undefined || code === 'ERR_SESSION_IMPORT_FORMAT', `${String(code)} for ${text}`);
        assert.equal(cache.size, 0);
      }),
      { numRuns: 500 },
    );
  },
);

test('entries come out as they were, in their order', LIMIT, () => {
  const session = fc
    .nat({ max: 1000 })
    .map((n) => makeNodeSession({ issuedAt: 1_700_000_000, lifetimeHint: 300, ticket: `ticket ${n}` }));
  const entry = fc.record({
    id: fc.string({ unit: 'grapheme' }),
    clientCertificate: fc.boolean(),
    sessions: fc.array(session, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 5 }), key, (entries, secret) => {
      const plain = entries.map((one) => ({ ...one }));
      assert.deepEqual(openExport(sealExport(plain, secret), secret), plain);
    }),
  );
});
