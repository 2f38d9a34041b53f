/**
 * Over TLS: two values of an option share neither connection nor session, equal ones share both. The server's side is
 * asked: it knows what it has resumed.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { ADDRCONFIG } from 'node:dns';
import type { OutgoingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { lookupLoopback } from '../../contract/support.js';
import type { PoolingAgent } from '../../../src/index.js';
import { partsOf, poolingAgent } from '../../support/agent.js';
import { get } from '../../support/server.js';
import type { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { fixture, mirror, pem } from '../options/support.js';
import { twin } from './support.js';
import type { Options } from './support.js';

const LIMIT = { timeout: 120_000 };
const ca = pem('ca.pem');
const client = { cert: pem('client.pem'), key: pem('client.key') };

/** By option: two sets of options that differ in it. */
const PAIRS: Record<string, readonly [Options, Options]> = {
  host: [{ host: 'localhost' }, { host: '127.0.0.1', servername: 'localhost' }],
  servername: [{ servername: 'localhost' }, { servername: 'a.localhost' }],
  'no servername': [{}, { servername: '' }],
  'Host header': [{ headers: { host: 'localhost' } }, { headers: { host: 'a.localhost' } }],
  localAddress: [{ localAddress: '127.0.0.1' }, { localAddress: '127.0.0.2' }],
  family: [{}, { family: 4 }],
  hints: [{}, { hints: ADDRCONFIG }],
  autoSelectFamily: [{ autoSelectFamily: true }, { autoSelectFamily: false }],
  autoSelectFamilyAttemptTimeout: [
    { autoSelectFamilyAttemptTimeout: 1000 },
    { autoSelectFamilyAttemptTimeout: 2000 },
  ],
  ca: [{ ca: [Buffer.from(ca)] }, { ca: [Buffer.from(ca), pem('other-ca.pem')] }],
  crl: [{ crl: [pem('crl-empty.pem')] }, {}],
  rejectUnauthorized: [{ rejectUnauthorized: false }, { rejectUnauthorized: true }],
  allowPartialTrustChain: [{}, { allowPartialTrustChain: true }],
  checkServerIdentity: [{ checkServerIdentity: () => undefined }, { checkServerIdentity: () => undefined }],
  lookup: [{ lookup: lookupLoopback }, {}],
  pskCallback: [{ pskCallback: () => null }, { pskCallback: () => null }],
  secureContext: [
    { secureContext: createSecureContext({ ca }) },
    { secureContext: createSecureContext({ ca }) },
  ],
  cert: [client, { cert: pem('another-client.pem'), key: pem('another-client.key') }],
  'a certificate, or none': [client, {}],
  'lists of keys': [
    { cert: client.cert, key: [{ pem: Buffer.from(client.key) }] },
    { cert: client.cert, key: [{ pem: pem('client-encrypted.key'), passphrase: 'secret' }] },
  ],
  pfx: [{ pfx: fixture('client.p12'), passphrase: 'secret' }, { pfx: fixture('client-open.p12') }],
  'lists of pfx': [
    { pfx: [{ buf: fixture('client.p12'), passphrase: 'secret' }] },
    { pfx: [{ buf: fixture('client-open.p12') }] },
  ],
  passphrase: [{ passphrase: 'one' }, { passphrase: 'another' }],
  minVersion: [{ minVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }],
  maxVersion: [{ maxVersion: 'TLSv1.3' }, { maxVersion: 'TLSv1.2' }],
  secureProtocol: [{ secureProtocol: 'TLSv1_2_method' }, { secureProtocol: 'TLS_method' }],
  secureOptions: [
    { secureOptions: constants.SSL_OP_NO_TLSv1 },
    { secureOptions: constants.SSL_OP_NO_TLSv1_1 },
  ],
  ciphers: [{ ciphers: 'TLS_AES_128_GCM_SHA256' }, { ciphers: 'TLS_AES_256_GCM_SHA384' }],
  ecdhCurve: [{ ecdhCurve: 'P-256' }, { ecdhCurve: 'P-256:P-384' }],
  sigalgs: [{ sigalgs: 'ecdsa_secp256r1_sha256' }, { sigalgs: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256' }],
  dhparam: [{ dhparam: 'auto' }, {}],
  honorCipherOrder: [{ honorCipherOrder: true }, { honorCipherOrder: false }],
  minDHSize: [{ minDHSize: 1024 }, { minDHSize: 2048 }],
  sessionIdContext: [{ sessionIdContext: 'one' }, { sessionIdContext: 'another' }],
  sessionTimeout: [{ sessionTimeout: 1000 }, { sessionTimeout: 2000 }],
  ticketKeys: [{ ticketKeys: Buffer.alloc(48, 1) }, { ticketKeys: Buffer.alloc(48, 2) }],
  ALPNProtocols: [{ ALPNProtocols: ['http/1.1'] }, { ALPNProtocols: ['http/1.1', 'x-other'] }],
  requestOCSP: [{ requestOCSP: true }, { requestOCSP: false }],
};

/** The session of a function or an object that a request brings for the first time is not kept: it may be its own. */
const BY_REFERENCE = new Set(['checkServerIdentity', 'lookup', 'pskCallback', 'secureContext']);

function twins(options: Options): Options {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, twin(value)]));
}

/** The ways to give one agent different options. */
const WAYS: Record<string, (agent: PoolingAgent, server: TestServer, options: Options) => Promise<unknown>> =
  {
    'per request': (agent, server, options) => get(server, { agent, ...({ ca, ...options } as object) }),
    'on the live agent': (agent, server, options) => {
      const { headers, ...own } = options;
      const before = { ...agent.options };
      Object.assign(agent.options, { ca }, own);
      const answer = get(server, {
        agent,
        ...(headers !== undefined && { headers: headers as OutgoingHttpHeaders }),
      });
      for (const name of Object.keys(agent.options)) Reflect.deleteProperty(agent.options, name);
      Object.assign(agent.options, before);
      return answer;
    },
  };

/** Signed by `ca` itself, so that one revocation list will do. */
function serve(t: TestContext, close: boolean): Promise<TestServer> {
  const { cert, key } = { cert: pem('revoked-server.pem'), key: pem('revoked-server.key') };
  const options = { cert, key, requestCert: true, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] };
  return mirror(t, options, (_req, res) => {
    if (close) res.setHeader('connection', 'close');
    res.end();
  });
}

for (const [way, ask] of Object.entries(WAYS)) {
  for (const [name, [one, another]] of Object.entries(PAIRS)) {
    test(`${name} ${way}`, LIMIT, async (t) => {
      const agent = poolingAgent(t);
      const keeping = await serve(t, false);
      await ask(agent, keeping, one);
      await ask(agent, keeping, another);
      assert.equal(keeping.connections(), 2, 'no connection is shared');
      await ask(agent, keeping, twins(one));
      await ask(agent, keeping, twins(another));
      assert.equal(keeping.connections(), 2, 'equal ones share it');

      const closing = await serve(t, true);
      const resumed = async (options: Options): Promise<boolean> => {
        const before = closing.resumed();
        await ask(agent, closing, options);
        await until(() => closing.open() === 0 && agent.totalSocketCount === 2);
        return closing.resumed() > before;
      };
      assert.equal(await resumed(one), false);
      assert.equal(await resumed(another), false, 'no session is shared');
      if (way === 'per request' && BY_REFERENCE.has(name)) return;
      assert.equal(await resumed(twins(one)), true, 'equal ones share it');
      assert.equal(await resumed(twins(another)), true, 'equal ones share it');
    });
  }
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(
    `a session that was got without verification serves nobody who verifies: ${maxVersion}`,
    LIMIT,
    async (t) => {
      const closing = await serve(t, true);
      const agent = poolingAgent(t, { maxVersion });
      const unverified = { agent, ca: undefined as never, rejectUnauthorized: false };
      await get(closing, unverified);
      await get(closing, unverified);
      assert.equal(closing.resumed(), 1);
      const code = /^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/;
      await assert.rejects(get(closing, { agent, ca: undefined as never }), { code });
      await assert.rejects(get(closing, { agent, ca: undefined as never, rejectUnauthorized: true }), {
        code,
      });
      const checkServerIdentity = (): Error => new Error('checked');
      await assert.rejects(get(closing, { agent, ca, checkServerIdentity }), /checked/);
      assert.equal(closing.resumed(), 1);
    },
  );
}

test('nor one whose name was not checked, whatever said so', LIMIT, async (t) => {
  const closing = await serve(t, true);
  const agent = poolingAgent(t, { ca, servername: 'not.in.the.certificate' });
  const ask = (options: Options = {}): Promise<unknown> =>
    get(closing, { agent, ca: undefined as never, ...(options as object) });
  const refused = { code: 'ERR_TLS_CERT_ALTNAME_INVALID' };

  for (let i = 0; i < 2; i++) await ask({ rejectUnauthorized: false });
  assert.equal(closing.resumed(), 1);
  await assert.rejects(ask(), refused);

  const before = process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  try {
    for (let i = 0; i < 2; i++) await ask();
  } finally {
    if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before;
  }
  assert.equal(closing.resumed(), 2);
  await until(() => agent.totalSocketCount === 0);
  await assert.rejects(ask(), refused);
});

test(
  'a request that waited is dialled as what it came as, whatever the agent’s options say by then',
  LIMIT,
  async (t) => {
    const held: (() => void)[] = [];
    const holding = await mirror(t, {}, (req, res) => {
      if (req.url === '/held') held.push(() => req.socket.destroy());
      else res.end();
    });
    const agent = poolingAgent(t, { ca, maxSockets: 1 });
    const first = request({ host: 'localhost', port: holding.port, path: '/held', agent }).end();
    first.on('error', () => {});
    await until(() => held.length === 1);
    const second = get(holding, { agent, ca: undefined as never });
    agent.options.rejectUnauthorized = false;
    agent.options.minVersion = 'TLSv1.2';
    agent.options.maxVersion = 'TLSv1.2';
    delete agent.options.ca;
    held[0]?.();
    const { req } = await second;
    assert.equal((req.socket as TLSSocket).authorized, true);
    assert.equal((req.socket as TLSSocket).getProtocol(), 'TLSv1.3');
    assert.equal((await get(holding, { agent, ca: undefined as never })).req.socket === req.socket, false);
  },
);

test('so is one whose array is changed while it waits', LIMIT, async (t) => {
  const held: (() => void)[] = [];
  const holding = await mirror(t, {}, (req, res) => {
    if (req.url === '/held') held.push(() => req.socket.destroy());
    else res.end();
  });
  const agent = poolingAgent(t, { maxSockets: 1 });
  const list = [ca, pem('other-ca.pem')];
  const first = request({ host: 'localhost', port: holding.port, path: '/held', agent, ca: list }).end();
  first.on('error', () => {});
  await until(() => held.length === 1);
  const second = get(holding, { agent, ca: list });
  list.length = 0;
  held[0]?.();
  assert.equal(((await second).req.socket as TLSSocket).authorized, true);
});

test(
  'two profiles in turn keep their contexts and sessions, also while nothing of them is open',
  LIMIT,
  async (t) => {
    const closing = await serve(t, true);
    const agent = poolingAgent(t);
    for (let i = 0; i < 6; i++) {
      await get(closing, { agent, ca: i % 2 ? [ca] : [ca, pem('other-ca.pem')] });
      await until(() => agent.totalSocketCount === 0);
    }
    assert.equal(closing.resumed(), 4);
    assert.equal(partsOf(agent).tls?.contexts.size, 2);
  },
);
