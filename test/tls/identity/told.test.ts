/** Values that Node's string tells from all others, and those that need a token behind it: one by one. */
import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { agentName } from '../../../src/identity/agent-name.js';
import type { Options } from '../../../src/identity/option-value.js';

const core = new Agent();
const nodes = (options: Options): string => core.getName(options as RequestOptions);
const hasToken = (options: Options): boolean =>
  /:#[0-9a-f]{16}$/.test(agentName({ host: 'a.test', ...options }, nodes));

const PEM = '-----BEGIN X-----\na\n-----END X-----\n';

test('ordinary values are told by Node’s string alone', () => {
  const told: readonly Options[] = [
    {},
    { host: '::1' },
    { host: '127.0.0.1' },
    { port: 443 },
    { port: '443' },
    { localAddress: '127.0.0.2' },
    { localAddress: '::1' },
    { family: 4 },
    { family: 6 },
    { socketPath: '/run/x' },
    { servername: 'b.test' },
    { servername: 'a.test' },
    { ca: 'word' },
    { ca: PEM },
    { ca: Buffer.from(PEM) },
    { ca: [PEM, 'word'] },
    { ca: ['word'] },
    { ca: 'x'.repeat(100) },
    { key: 'a:b,é' },
    { ciphers: 'A' },
    { ciphers: 'A:!B' },
    { ecdhCurve: 'X25519:P-256' },
    { sigalgs: 'a:b,true' },
    { rejectUnauthorized: false },
    { honorCipherOrder: true },
    { secureOptions: 4 },
    { dhparam: 'auto' },
    { minVersion: 'TLSv1.2' },
  ];
  for (const options of told) assert.equal(hasToken(options), false, JSON.stringify(options));
});

test('values that print like others have a token', () => {
  const untold: readonly Options[] = [
    { host: 'a:b' },
    { host: 'é' },
    { port: 0 },
    { port: 'a:b' },
    { port: 1.5 },
    { port: '' },
    { localAddress: 'a:b' },
    { localAddress: 7 },
    { family: 5 },
    { family: '4' },
    { socketPath: 'run/x' },
    { socketPath: '/a:b' },
    { socketPath: 7 },
    { servername: '' },
    { servername: 'a:b' },
    { servername: 'é' },
    { ca: 'a:b' },
    { ca: 'a,b' },
    { ca: 'é' },
    { ca: 'a\nb' },
    { ca: '' },
    { ca: '#0123456789abcdef' },
    { ca: 7 },
    { ca: ['a,b', 'c'] },
    { ca: ['a', 7] },
    { ca: [] },
    { ca: `x\n${PEM}` },
    { ca: `${PEM}x` },
    { ca: '-----BEGIN é-----\n-----END é-----' },
    { ca: '-----BEGIN X-----\n-----END X-----,\n-----END-----' },
    { ca: '-----BEGIN X-----\n-----END X----- :\n-----END-----' },
    { ca: '-----BEGIN X\n:\n-----BEGIN X-----' },
    { ciphers: '' },
    { ciphers: 'A::B' },
    { ciphers: 'true' },
    { ciphers: 'A:false' },
    { ciphers: 'é:A' },
    { ciphers: 'A:é' },
    { ciphers: ['A'] },
    { sigalgs: '' },
    { sigalgs: 'a"b' },
    { sigalgs: 'é' },
    { sigalgs: 7 },
    { rejectUnauthorized: 'true' },
    { rejectUnauthorized: 0 },
    { secureOptions: 1.5 },
    { secureOptions: '4' },
    { minVersion: 'a:b' },
    { minVersion: 'é' },
    { minVersion: '' },
    { dhparam: 'a:b' },
    { ALPNProtocols: ['a'] },
    { checkServerIdentity: () => undefined },
  ];
  for (const options of untold) assert.equal(hasToken(options), true, JSON.stringify(options));
  const names = untold.map((options) => agentName({ host: 'a.test', ...options }, nodes));
  assert.equal(new Set(names).size, untold.length);
});

test('secrets and long values are digests', () => {
  // Letters that no digest has.
  for (const options of [
    { passphrase: 'a' },
    { pfx: Buffer.from('xyz') },
    { key: [{ pem: 'k', passphrase: 'xyz' }] },
    { session: 'xyz' },
    { ca: `xyz${'x'.repeat(62)}` },
    { ca: ['xyz'.repeat(11), 'xyz'.repeat(11)] },
    { ca: [Buffer.from('xyz'.repeat(11)), [['xyz'.repeat(11)]]] },
  ]) {
    const name = agentName({ host: 'b.test', ...options }, nodes);
    assert.ok(!name.includes('xyz') && !name.includes('eHl6'), name);
  }
  assert.ok(agentName({ host: 'b.test', ca: 'x'.repeat(64) }, nodes).includes('xxx'));
});
