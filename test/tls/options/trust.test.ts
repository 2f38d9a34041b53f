/** Whom we trust. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { contextCan, everywhere, mirror, pem } from './support.js';

const UNKNOWN_ISSUER =
  /^(SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|UNABLE_TO_VERIFY_LEAF_SIGNATURE)$/;

everywhere(['ca'], 'who is not certified by it is refused', async ({ t, client }) => {
  const server = await mirror(t);
  for (const ca of [pem('ca.pem'), Buffer.from(pem('ca.pem')), [pem('other-ca.pem'), pem('ca.pem')]]) {
    const { socket } = await client({ ca }).ask(server);
    assert.equal(socket.authorized, true);
    assert.equal(socket.getPeerCertificate().subject.CN, 'server');
  }
  await assert.rejects(client({ ca: pem('other-ca.pem') }).ask(server), { code: UNKNOWN_ISSUER });
  await assert.rejects(client({ ca: undefined }).ask(server), { code: UNKNOWN_ISSUER });
  await assert.rejects(client({ ca: 1 }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

everywhere(['rejectUnauthorized'], 'false lets everybody pass, and says so', async ({ t, client }) => {
  const server = await mirror(t);
  const { socket } = await client({ ca: undefined, rejectUnauthorized: false }).ask(server);
  assert.equal(socket.authorized, false);
  assert.match(String(socket.authorizationError), UNKNOWN_ISSUER);
  await assert.rejects(client({ ca: undefined, rejectUnauthorized: true }).ask(server), {
    code: UNKNOWN_ISSUER,
  });
});

everywhere(['crl'], 'a certificate in it is refused', async ({ t, client }) => {
  const revoked = { cert: pem('revoked-server.pem'), key: pem('revoked-server.key') };
  const server = await mirror(t, revoked);
  assert.equal((await client({ crl: pem('crl-empty.pem') }).ask(server)).socket.authorized, true);
  await assert.rejects(client({ crl: pem('crl.pem') }).ask(server), { code: 'CERT_REVOKED' });
  await assert.rejects(client({ crl: [Buffer.from(pem('crl.pem'))] }).ask(server), { code: 'CERT_REVOKED' });
  await assert.rejects(client({ crl: 'no list' }).ask(server), /Failed to parse CRL/);
});

everywhere(
  ['allowPartialTrustChain'],
  'an intermediate certificate may be the anchor',
  async ({ t, client }) => {
    const server = await mirror(t);
    const ca = pem('intermediate.pem');
    const { socket } = await client({ ca, allowPartialTrustChain: true }).ask(server);
    assert.equal(socket.authorized, true);
    await assert.rejects(client({ ca }).ask(server), { code: /^UNABLE_TO_GET_ISSUER_CERT/ });
  },
  contextCan('setAllowPartialTrustChain') ? undefined : 'this Node has no partial chains',
);

everywhere(['checkServerIdentity'], 'has the last word about the certificate', async ({ t, client }) => {
  const server = await mirror(t);
  const asked: string[] = [];
  const accept = (name: string, { subject }: { subject: { CN: string } }): undefined =>
    void asked.push(`${name} ${subject.CN}`);
  await client({ checkServerIdentity: accept }).ask(server, { servername: 'a.test' });
  assert.deepEqual(asked, ['a.test server']);
  await assert.rejects(client({}).ask(server, { servername: 'a.test' }), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  const refusal = new Error('not this one');
  await assert.rejects(client({ checkServerIdentity: () => refusal }).ask(server), refusal);
  // Node 20 has another code for it.
  await assert.rejects(client({ checkServerIdentity: 'strict' }).ask(server), {
    code: /^ERR_(INVALID_ARG_TYPE|INTERNAL_ASSERTION)$/,
  });
});

everywhere(['secureContext'], 'is used as it is, and hides what makes one', async ({ t, client }) => {
  const server = await mirror(t);
  const secureContext = createSecureContext({ ca: pem('ca.pem'), maxVersion: 'TLSv1.2' });
  const { seen, socket } = await client({ secureContext, ca: 'not a certificate' }).ask(server);
  assert.equal(seen.protocol, 'TLSv1.2');
  assert.equal(socket.authorized, true);
  await assert.rejects(client({ secureContext: createSecureContext() }).ask(server), {
    code: UNKNOWN_ISSUER,
  });
  // On the agent, at its construction.
  await assert.rejects(async () => client({ secureContext: 'context' }).ask(server), { code: /^ERR_/ });
});

everywhere(['requestOCSP'], 'the answer comes as an event of the socket', async ({ t, client }) => {
  const server = await mirror(t);
  server.server.on('OCSPRequest', (_cert, _issuer, callback: (error: null, answer: Buffer) => void) =>
    callback(null, Buffer.from('good')),
  );
  const stapled = async (requestOCSP: boolean): Promise<unknown> => {
    const { agent, options } = client({ requestOCSP });
    const req = request({ ...options, host: 'localhost', port: server.port, agent }).end();
    const [socket] = (await once(req, 'socket')) as [TLSSocket];
    let answer: unknown = 'none';
    socket.on('OCSPResponse', (response: Buffer | null) => (answer = response && String(response)));
    const [res] = await once(req, 'response');
    res.resume();
    return answer;
  };
  assert.equal(await stapled(true), 'good');
  assert.equal(await stapled(false), 'none');
});

everywhere(
  ['requestCert', 'SNICallback', 'ticketKeys', 'sessionIdContext', 'pauseOnConnect'],
  'are for servers, and change nothing',
  async ({ t, client }) => {
    const server = await mirror(t);
    const { socket } = await client({
      requestCert: false,
      SNICallback: () => assert.fail('called'),
      ticketKeys: Buffer.alloc(48),
      sessionIdContext: 'context',
      pauseOnConnect: true,
    }).ask(server);
    // The server's certificate is asked for and checked all the same.
    assert.equal(socket.authorized, true);
    assert.equal(socket.getPeerCertificate().subject.CN, 'server');
  },
);

everywhere(
  ['ticketKeys', 'sessionIdContext'],
  'wrong ones are errors all the same',
  async ({ t, client }) => {
    const server = await mirror(t);
    await assert.rejects(client({ ticketKeys: Buffer.alloc(1) }).ask(server), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
    await assert.rejects(client({ sessionIdContext: 1 }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
  },
);

everywhere(['sessionTimeout'], 'is how long a session is good for', async ({ t, client }) => {
  const server = await mirror(t, { maxVersion: 'TLSv1.2' });
  const { socket } = await client({ sessionTimeout: 4711 }).ask(server);
  // SSL_SESSION in ASN.1: `timeout [2] INTEGER`, in seconds.
  assert.ok(socket.getSession()?.includes(Buffer.from('a20402021267', 'hex')));
  await assert.rejects(client({ sessionTimeout: -1 }).ask(server), { code: 'ERR_OUT_OF_RANGE' });
});
