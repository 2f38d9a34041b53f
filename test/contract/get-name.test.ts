/** `getName()` prints what Node's agent prints for ordinary options: readers of `sockets` build the same strings. */
import assert from 'node:assert/strict';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { Agent, isPlain, PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { LIMIT, untilIdle } from './support.js';

const OPTIONS: (RequestOptions & Record<string, unknown>)[] = [
  {},
  { host: 'localhost', port: 443 },
  { host: 'localhost', port: '443', localAddress: '127.0.0.1' },
  { host: '::1', port: 8443, family: 6 },
  { host: 'localhost', family: 4, socketPath: '/tmp/socket' },
  { host: 'localhost', servername: 'localhost' },
  { host: 'localhost', servername: 'other' },
  { host: '127.0.0.1', servername: '' },
  { ca: 'ca', cert: 'cert' },
  { ca: ['a', 'b'], rejectUnauthorized: false },
  { rejectUnauthorized: true, ciphers: 'ALL', ecdhCurve: 'auto', sigalgs: 'ed25519' },
  { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', secureProtocol: 'TLS_method' },
  { crl: 'crl', honorCipherOrder: true, dhparam: 'dh', secureOptions: 0, sessionIdContext: 'id' },
  { clientCertEngine: 'engine', privateKeyEngine: 'engine', privateKeyIdentifier: 'identifier' },
];

test('getName() prints the same strings', LIMIT, () => {
  const [ours, core] = [new PoolingAgent(), new Agent()];
  for (const options of OPTIONS) {
    assert.equal(ours.getName(options), core.getName(options), JSON.stringify(options));
  }
  assert.equal(ours.getName(), core.getName());
  assert.match(
    ours.getName({ host: 'localhost', port: 443 }),
    isPlain ? /^localhost:443:$/ : /^localhost:443::/,
  );
});

test('the getName() of a subclass names the keys', LIMIT, async (t) => {
  class Named extends PoolingAgent {
    override getName(options?: RequestOptions): string {
      return `named ${options?.host}`;
    }
  }
  const server = await httpsServer(t);
  const agent = new Named({ ca: server.ca });
  t.after(() => agent.destroy());
  await get(server, { agent });
  await untilIdle(agent);
  assert.deepEqual(Object.keys(agent.freeSockets), ['named localhost']);
});
