/** How the wire is spoken: versions, ciphers, curves, signatures, application protocols. */
import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import type { EphemeralKeyInfo, TLSSocket } from 'node:tls';
import { contextCan, everywhere, mirror, pem } from './support.js';

const TLS_1_2 = { maxVersion: 'TLSv1.2' } as const;

function group(socket: TLSSocket): string | undefined {
  return (socket.getEphemeralKeyInfo() as EphemeralKeyInfo & { name?: string }).name;
}

everywhere(['minVersion'], 'a server that speaks no such version is refused', async ({ t, client }) => {
  const server = await mirror(t, TLS_1_2);
  assert.equal((await client({ minVersion: 'TLSv1.2' }).ask(server)).seen.protocol, 'TLSv1.2');
  await assert.rejects(client({ minVersion: 'TLSv1.3' }).ask(server), /protocol version/i);
  await assert.rejects(client({ minVersion: 'TLSv9' }).ask(server), {
    code: 'ERR_TLS_INVALID_PROTOCOL_VERSION',
  });
});

everywhere(['maxVersion'], 'bounds the version', async ({ t, client }) => {
  const server = await mirror(t);
  assert.equal((await client({}).ask(server)).seen.protocol, 'TLSv1.3');
  assert.equal((await client(TLS_1_2).ask(server)).seen.protocol, 'TLSv1.2');
  await assert.rejects(client({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.2' }).ask(server));
  await assert.rejects(client({ maxVersion: 'TLSv9' }).ask(server), {
    code: 'ERR_TLS_INVALID_PROTOCOL_VERSION',
  });
});

everywhere(['secureProtocol'], 'names the only version', async ({ t, client }) => {
  const server = await mirror(t);
  const { seen } = await client({ secureProtocol: 'TLSv1_2_method' }).ask(server);
  assert.equal(seen.protocol, 'TLSv1.2');
  await assert.rejects(client({ secureProtocol: 'SSLv9_method' }).ask(server), {
    code: 'ERR_TLS_INVALID_PROTOCOL_METHOD',
  });
  await assert.rejects(client({ secureProtocol: 'TLS_method', minVersion: 'TLSv1.2' }).ask(server), {
    code: 'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
  });
});

everywhere(['secureOptions'], 'reaches OpenSSL', async ({ t, client }) => {
  const server = await mirror(t);
  const { seen } = await client({ secureOptions: constants.SSL_OP_NO_TLSv1_3 }).ask(server);
  assert.equal(seen.protocol, 'TLSv1.2');
  await assert.rejects(client({ secureOptions: 'all' }).ask(server), TypeError);
});

everywhere(['ciphers'], 'decides the cipher', async ({ t, client }) => {
  const server = await mirror(t);
  for (const cipher of ['TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256']) {
    const { seen, socket } = await client({ ciphers: cipher }).ask(server);
    assert.equal(seen.cipher, cipher);
    assert.equal(socket.getCipher().name, cipher);
  }
  const old = await client({ ...TLS_1_2, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' }).ask(server);
  assert.equal(old.seen.cipher, 'ECDHE-ECDSA-AES256-GCM-SHA384');
  await assert.rejects(client({ ciphers: 'no-such-cipher' }).ask(server), { code: /NO_CIPHER_MATCH$/ });
  await assert.rejects(client({ ciphers: 1 }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

everywhere(['honorCipherOrder'], 'is for servers: the order is theirs as before', async ({ t, client }) => {
  const ciphers = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384';
  const reversed = ciphers.split(':').toReversed().join(':');
  const server = await mirror(t, { ...TLS_1_2, ciphers, honorCipherOrder: true });
  for (const honorCipherOrder of [true, false]) {
    const { seen } = await client({ honorCipherOrder, ciphers: reversed }).ask(server);
    assert.equal(seen.cipher, 'ECDHE-ECDSA-AES128-GCM-SHA256');
  }
});

everywhere(['ecdhCurve'], 'decides the curve', async ({ t, client }) => {
  const server = await mirror(t, { ecdhCurve: 'auto' });
  for (const [ecdhCurve, name] of Object.entries({ 'P-384': 'secp384r1', 'P-521': 'secp521r1' })) {
    const { socket } = await client({ ecdhCurve }).ask(server);
    assert.equal(group(socket), name);
  }
  await assert.rejects(client({ ecdhCurve: 'no-such-curve' }).ask(server), {
    code: 'ERR_CRYPTO_OPERATION_FAILED',
  });
});

everywhere(['sigalgs'], 'decides how the server may sign', async ({ t, client }) => {
  const server = await mirror(t);
  await client({ sigalgs: 'ecdsa_secp256r1_sha256' }).ask(server);
  // The server's key can't.
  await assert.rejects(client({ sigalgs: 'rsa_pss_rsae_sha256' }).ask(server), /handshake failure/i);
  await assert.rejects(client({ sigalgs: '' }).ask(server), { code: 'ERR_INVALID_ARG_VALUE' });
});

/** A server whose Diffie-Hellman parameters have 2048 bits. */
const DHE = {
  cert: pem('rsa-server.pem'),
  key: pem('rsa-server.key'),
  ...TLS_1_2,
  ciphers: 'DHE-RSA-AES128-GCM-SHA256',
  dhparam: 'auto',
};

everywhere(['minDHSize'], 'a server with a shorter key is refused', async ({ t, client }) => {
  const server = await mirror(t, DHE);
  const { ciphers } = DHE;
  const { socket } = await client({ ciphers, minDHSize: 2048 }).ask(server);
  assert.equal((socket.getEphemeralKeyInfo() as EphemeralKeyInfo).type, 'DH');
  await assert.rejects(client({ ciphers, minDHSize: 4096 }).ask(server), { code: 'ERR_TLS_DH_PARAM_SIZE' });
  // Node 20 has another code for it.
  await assert.rejects(client({ minDHSize: '2048' }).ask(server), {
    code: /^ERR_(INVALID_ARG_TYPE|INTERNAL_ASSERTION)$/,
  });
});

everywhere(['dhparam'], 'is for servers; a wrong one is an error all the same', async ({ t, client }) => {
  const server = await mirror(t, DHE);
  assert.equal(
    (await client({ ciphers: DHE.ciphers, dhparam: 'auto' }).ask(server)).seen.cipher,
    DHE.ciphers,
  );
  await assert.rejects(client({ dhparam: 1 }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

everywhere(['ALPNProtocols'], 'are offered', async ({ t, client }) => {
  const server = await mirror(t, { ALPNProtocols: ['http/1.1', 'x-other'] });
  assert.equal((await client({}).ask(server)).seen.alpn, false);
  for (const ALPNProtocols of [
    ['x-other'],
    Buffer.from('\x07x-other'),
    new Uint8Array(Buffer.from('\x07x-other')),
  ]) {
    const { seen, socket } = await client({ ALPNProtocols }).ask(server);
    assert.equal(seen.alpn, 'x-other');
    assert.equal(socket.alpnProtocol, 'x-other');
  }
  await assert.rejects(client({ ALPNProtocols: ['x-unknown'] }).ask(server), /no application protocol/i);
});

everywhere(['ALPNCallback'], 'is for servers: it is not called', async ({ t, client }) => {
  const server = await mirror(t, { ALPNProtocols: ['http/1.1'] });
  const ALPNCallback = (): never => assert.fail('called');
  const { seen } = await client({ ALPNCallback, ALPNProtocols: ['http/1.1'] }).ask(server);
  assert.equal(seen.alpn, 'http/1.1');
});

everywhere(
  ['certificateCompression'],
  'names the algorithms',
  async ({ t, client }) => {
    const server = await mirror(t, { certificateCompression: ['zlib'] });
    assert.equal((await client({ certificateCompression: ['zlib'] }).ask(server)).seen.protocol, 'TLSv1.3');
    await assert.rejects(client({ certificateCompression: ['rar'] }).ask(server), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  },
  contextCan('setCertificateCompression') ? undefined : 'this Node does not compress certificates',
);
