/** docs/node-options.md says what each option does: none is missing, and each is tested where the table says that it counts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import type { AgentOptions, RequestOptions } from 'node:https';
import { test } from 'node:test';
import { HOST_OPTIONS } from '../../../src/identity/identity.js';
import { PROFILE_OPTIONS } from '../../../src/identity/profile.js';
import { collect, covered } from './support.js';

/** Options that Node's client handles by itself. */
type ClientsOwn =
  | '_defaultAgent'
  | 'agent'
  | 'auth'
  | 'createConnection'
  | 'headers'
  | 'insecureHTTPParser'
  | 'joinDuplicateHeaders'
  | 'maxHeaderSize'
  | 'method'
  // Ours.
  | 'priority'
  | 'setHost'
  | 'uniqueHeaders';

/** Every other name in Node's typings: the compiler sees to it that none is missing. */
const TYPED: Record<Exclude<keyof AgentOptions | keyof RequestOptions, ClientsOwn>, true> = {
  ALPNCallback: true,
  ALPNProtocols: true,
  SNICallback: true,
  allowPartialTrustChain: true,
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: true,
  ca: true,
  cert: true,
  checkServerIdentity: true,
  ciphers: true,
  clientCertEngine: true,
  crl: true,
  defaultPort: true,
  dhparam: true,
  ecdhCurve: true,
  enableTrace: true,
  family: true,
  hints: true,
  honorCipherOrder: true,
  host: true,
  hostname: true,
  keepAlive: true,
  keepAliveInitialDelay: true,
  keepAliveMsecs: true,
  key: true,
  localAddress: true,
  localPort: true,
  lookup: true,
  maxCachedSessions: true,
  maxFreeSockets: true,
  maxSockets: true,
  maxTotalSockets: true,
  maxVersion: true,
  minDHSize: true,
  minVersion: true,
  noDelay: true,
  onread: true,
  passphrase: true,
  path: true,
  pfx: true,
  port: true,
  privateKeyEngine: true,
  privateKeyIdentifier: true,
  protocol: true,
  pskCallback: true,
  rejectUnauthorized: true,
  requestCert: true,
  scheduling: true,
  secureContext: true,
  secureOptions: true,
  secureProtocol: true,
  servername: true,
  session: true,
  sessionIdContext: true,
  sessionTimeout: true,
  sigalgs: true,
  signal: true,
  socket: true,
  socketPath: true,
  ticketKeys: true,
  timeout: true,
};

/** Documented by Node, and not in these typings. */
const UNTYPED = ['requestOCSP', 'highWaterMark', 'allowHalfOpen', 'pauseOnConnect', 'certificateCompression'];

collect();
for (const file of readdirSync(import.meta.dirname)) {
  if (file.endsWith('.test.js') && file !== 'table.test.js') await import(`./${file}`);
}

/** Name -> whether different values are kept apart. */
const table = new Map<string, boolean>();
const text = readFileSync(new URL('../../../../docs/node-options.md', import.meta.url), 'utf8');
for (const [, names = '', shared] of text.matchAll(/^\| (`.*?`) +\| (apart|–) +\|/gm)) {
  for (const [, name = ''] of names.matchAll(/`(\w+)`/g)) {
    assert.ok(!table.has(name), `${name} stands in the table once`);
    table.set(name, shared === 'apart');
  }
}

test('the table has every option that Node has', () => {
  assert.deepEqual([...table.keys()].toSorted(), [...Object.keys(TYPED), ...UNTYPED].toSorted());
});

test('every option is tested, on the agent and per request', () => {
  for (const name of table.keys()) {
    assert.deepEqual([...(covered.get(name) ?? [])].toSorted(), ['agent', 'request'], name);
  }
  assert.deepEqual([...covered.keys()].toSorted(), [...table.keys()].toSorted());
});

test('what the table keeps apart is what the pool keeps apart', () => {
  const apart = [...table].filter(([, isApart]) => isApart).map(([name]) => name);
  const identity = [...PROFILE_OPTIONS, ...HOST_OPTIONS, 'hostname'];
  assert.deepEqual(apart.toSorted(), identity.toSorted());
});
