/** Options for the identity of the client. */
import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import { certificate } from '../../support/certificate.js';
import { contextCan, everywhere, fixture, mirror, pem } from './support.js';
import type { Options } from './support.js';

const ASKING = { requestCert: true, rejectUnauthorized: false, ca: pem('ca.pem') };
const cert = pem('client.pem');
const key = pem('client.key');
const encrypted = pem('client-encrypted.key');
const another = { cert: pem('another-client.pem'), key: pem('another-client.key') };

everywhere(['cert', 'key'], 'the server sees the certificate', async ({ t, client }) => {
  const server = await mirror(t, ASKING);
  const asked: Options[] = [
    { cert, key },
    { cert: Buffer.from(cert), key: Buffer.from(key) },
    { cert: [cert], key: [key] },
    { cert, key: [{ pem: key }] },
  ];
  for (const options of asked) {
    const { seen } = await client(options).ask(server);
    assert.equal(seen.client, 'client');
    assert.equal(seen.authorized, true);
  }
  assert.equal((await client(another).ask(server)).seen.client, 'another-client');
  assert.equal((await client({}).ask(server)).seen.client, undefined);
  await assert.rejects(client({ cert, key: another.key }).ask(server), /key values mismatch/i);
  await assert.rejects(client({ cert: {}, key }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

everywhere(['cert', 'key'], 'a server that demands one refuses who has none', async ({ t, client }) => {
  const server = await mirror(t, { ...ASKING, rejectUnauthorized: true });
  assert.equal((await client({ cert, key }).ask(server)).seen.client, 'client');
  await assert.rejects(client({}).ask(server));
  const unknown = await certificate();
  await assert.rejects(client({ ...unknown }).ask(server));
});

everywhere(['passphrase'], 'opens a key', async ({ t, client }) => {
  const server = await mirror(t, ASKING);
  const asked: Options[] = [
    { cert, key: encrypted, passphrase: 'secret' },
    { cert, key: [{ pem: encrypted, passphrase: 'secret' }] },
    { cert, key: [{ pem: encrypted }], passphrase: 'secret' },
  ];
  for (const options of asked) assert.equal((await client(options).ask(server)).seen.client, 'client');
  await assert.rejects(client({ cert, key: encrypted, passphrase: 'wrong' }).ask(server), /bad decrypt/i);
  await assert.rejects(client({ cert, key: encrypted }).ask(server), /bad decrypt|interrupted or cancelled/i);
  await assert.rejects(client({ cert, key: encrypted, passphrase: 1 }).ask(server), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});

everywhere(['pfx', 'passphrase'], 'hold certificate and key', async ({ t, client }) => {
  const server = await mirror(t, ASKING);
  const pfx = fixture('client.p12');
  const asked: Options[] = [
    { pfx, passphrase: 'secret' },
    { pfx: [pfx], passphrase: 'secret' },
    { pfx: [{ buf: pfx, passphrase: 'secret' }] },
    { pfx: fixture('client-open.p12') },
  ];
  for (const options of asked) assert.equal((await client(options).ask(server)).seen.client, 'client');
  await assert.rejects(client({ pfx, passphrase: 'wrong' }).ask(server), /mac verify failure/i);
  await assert.rejects(
    client({ pfx: Buffer.from('rubbish') }).ask(server),
    /not enough data|wrong tag|too long/i,
  );
});

const hasEngines = contextCan('setClientCertEngine');
const NO_ENGINES = hasEngines ? undefined : 'this Node is built without engines';

everywhere(
  ['clientCertEngine', 'privateKeyEngine', 'privateKeyIdentifier'],
  'an engine that there is not is an error',
  async ({ t, client }) => {
    const server = await mirror(t);
    await assert.rejects(client({ clientCertEngine: '/no/such/engine' }).ask(server));
    const privateKeyEngine = '/no/such/engine';
    await assert.rejects(client({ privateKeyEngine, privateKeyIdentifier: 'one' }).ask(server));
  },
  NO_ENGINES,
);

everywhere(
  ['clientCertEngine', 'privateKeyEngine', 'privateKeyIdentifier'],
  'wrong types are refused',
  async ({ t, client }) => {
    const server = await mirror(t);
    await assert.rejects(client({ clientCertEngine: 1 }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(client({ privateKeyIdentifier: 'one' }).ask(server), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
    await assert.rejects(client({ privateKeyIdentifier: 'one', privateKeyEngine: 1 }).ask(server), {
      code: 'ERR_INVALID_ARG_TYPE',
    });
  },
);

everywhere(['pskCallback'], 'a shared key takes the place of certificates', async ({ t, client }) => {
  const psk = Buffer.from('0123456789abcdef');
  const ciphers = 'PSK-AES128-GCM-SHA256';
  const names: unknown[] = [];
  const server = await mirror(t, {
    ciphers,
    maxVersion: 'TLSv1.2',
    pskIdentityHint: 'hint',
    pskCallback: (_socket: TLSSocket, identity: string) => {
      names.push(identity);
      return psk;
    },
  });
  const common = { ciphers, maxVersion: 'TLSv1.2', checkServerIdentity: () => undefined };
  const pskCallback = (hint: string) => ({ psk, identity: `client of ${hint}` });
  const { seen } = await client({ ...common, pskCallback }).ask(server);
  assert.equal(seen.cipher, ciphers);
  assert.deepEqual(names, ['client of hint']);
  const wrong = { psk: Buffer.from('wrong'), identity: 'client' };
  await assert.rejects(client({ ...common, pskCallback: () => wrong }).ask(server));
  await assert.rejects(client({ ...common, pskCallback: 'key' }).ask(server), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
});
