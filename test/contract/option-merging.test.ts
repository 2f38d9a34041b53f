/** The options of a new connection, as users see them: in the arguments of `createConnection`. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import * as http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { once } from 'node:events';
import { certificate } from '../support/certificate.js';
import { poolingAgent } from '../support/agent.js';
import { createServer, PROTOCOL, request, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import {
  asNode,
  forBoth,
  forBothOverTls,
  LIMIT,
  replaceCreateConnection,
  spyOnDials,
  untilIdle,
} from './support.js';
import type { NodeAgent, Options } from './support.js';

/** The options that `createConnection` gets for a request with `options`. */
function dialled(agent: NodeAgent, options: Options): Options {
  let seen: Options = {};
  replaceCreateConnection(agent, (given) => void (seen = given));
  request({ host: 'localhost', ...options, agent })
    .on('error', () => {})
    .destroy();
  return seen;
}

forBoth("the agent's options win over the request's", async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca, servername: 'localhost', family: 4 });
  const dials = spyOnDials(agent);
  await get(server, { agent, ca: 'not a certificate', servername: 'b.localhost', family: 6 });
  assert.equal(dials[0]?.['ca'], server.ca);
  assert.equal(dials[0]?.['servername'], 'localhost');
  assert.equal(dials[0]?.['family'], 4);
  // Also an undefined one.
  assert.equal(dialled(make({ family: undefined }), { family: 6 })['family'], undefined);
});

forBoth('`path` is no socket path: it is null in the options of the agent', ({ agent: make }) => {
  const agent = make({ path: '/tmp/agent' });
  assert.equal((agent.options as Options)['path'], null);
  assert.equal(dialled(agent, { path: '/some/where' })['path'], null);
});

forBoth('`socketPath` dials a Unix socket', async ({ t, agent: make }) => {
  const { key, cert } = await certificate();
  const directory = await mkdtemp(join(tmpdir(), 'contract-'));
  const server = createServer({ key, cert }, (req, res) => res.end(req.url));
  const socketPath = join(directory, 'socket');
  server.listen(socketPath);
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    await rm(directory, { recursive: true });
  });
  const agent = make({ ca: cert });
  const dials = spyOnDials(agent);
  assert.equal((await get({ port: 1, ca: cert }, { agent, socketPath, path: '/unix' })).body, '/unix');
  assert.equal(dials[0]?.['path'], socketPath);
});

forBoth('`encoding` is null, whatever the request says', ({ agent: make }) => {
  assert.equal(dialled(make(), { encoding: 'utf8' })['encoding'], null);
});

const SERVER_NAMES: [Options, string][] = [
  [{ host: 'a.localhost' }, 'a.localhost'],
  [{ headers: { host: 'b.localhost' } }, 'b.localhost'],
  [{ headers: { host: 'b.localhost:8443' } }, 'b.localhost'],
  [{ headers: { host: '127.0.0.1' } }, ''],
  [{ headers: { host: '127.0.0.1:8443' } }, ''],
  [{ headers: { host: '[::1]:8443' } }, ''],
  [{ headers: { host: '[::1' } }, '[::1'],
  [{ host: '127.0.0.1' }, ''],
  [{ host: '::1' }, ''],
  [{ servername: 'c.localhost', headers: { host: 'b.localhost' } }, 'c.localhost'],
  [{ servername: '', headers: { host: 'b.localhost' } }, ''],
  [{ setHost: false }, 'localhost'],
];

forBoth('`servername` comes from the Host header, and is empty for an address', ({ agent: make }) => {
  for (const [options, servername] of SERVER_NAMES) {
    assert.equal(dialled(make(), options)['servername'], servername, JSON.stringify(options));
  }
  const agent = make({ servername: 'd.localhost' });
  assert.equal(dialled(agent, { headers: { host: 'b.localhost' } })['servername'], 'd.localhost');
});

forBoth('a Host header that is no string is refused', ({ agent: make }) => {
  const headers = { host: ['a', 'b'] };
  assert.throws(() => dialled(make(), { headers }), { code: 'ERR_INVALID_ARG_TYPE' });
});

forBothOverTls('the server sees the name', async ({ t, agent: make }) => {
  const server = await httpsServer(t, (req, res) => res.end(String(Reflect.get(req.socket, 'servername'))));
  const agent = make({ ca: server.ca, checkServerIdentity: () => undefined });
  assert.equal((await get(server, { agent, headers: { host: 'b.localhost' } })).body, 'b.localhost');
  assert.equal((await get(server, { agent, host: '127.0.0.1' })).body, 'false');
});

forBoth('symbol keys survive', ({ agent: make }) => {
  const [a, b] = [Symbol('agent'), Symbol('request')];
  const options = dialled(make({ [a]: 1 }), { [b]: 2 });
  assert.equal(Reflect.get(options, a), 1);
  assert.equal(Reflect.get(options, b), 2);
});

test(
  'a `checkServerIdentity` of a request counts also without the stamp of https.request',
  { ...LIMIT, ...TLS_ONLY },
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const ask = (checkServerIdentity: () => Error | undefined): Promise<unknown> => {
      const options = { protocol: 'https:', host: 'localhost', port: server.port, checkServerIdentity };
      return once(
        http.get({ ...options, agent }).on('response', (res) => res.resume()),
        'close',
      );
    };
    await ask(() => undefined);
    await untilIdle(agent);
    const unwanted = new Error('unwanted');
    await assert.rejects(
      ask(() => unwanted),
      unwanted,
    );
  },
);

function deepFreeze<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}

forBoth("the caller's options are never written to", async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make(deepFreeze({ ca: [server.ca], keepAlive: true, timeout: 1000 }));
  for (const path of ['/new', '/reused']) {
    const collecting = { protocol: PROTOCOL, addRequest: () => {} } as unknown as http.Agent;
    const req = http.request({ protocol: PROTOCOL, path, agent: collecting });
    const headers = { 'x-own': 'yes' };
    const options = { host: 'localhost', port: server.port, socketPath: undefined, path, headers };
    agent.addRequest(req.end(), deepFreeze(options));
    const [res] = (await once(req, 'response')) as [http.IncomingMessage];
    assert.equal((await res.toArray()).join(''), path);
  }
});

forBothOverTls('`agent.options` may be written at any time', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make();
  await assert.rejects(get(server, { agent, ca: undefined } as never), {
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  agent.options.ca = server.ca;
  assert.equal((await get(server, { agent, path: '/trusted' })).body, '/trusted');
  delete agent.options.ca;
  await assert.rejects(get(server, { agent, ca: undefined } as never), {
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  agent.options.rejectUnauthorized = false;
  assert.equal((await get(server, { agent, path: '/anybody' })).body, '/anybody');
});

test('there is no own `options.proxyEnv` where the user gave none', LIMIT, (t) => {
  const agent = asNode(poolingAgent(t, {}));
  assert.equal(Reflect.get(agent.options, 'proxyEnv') ?? null, null);
  assert.equal(Object.hasOwn(agent.options, 'proxyEnv'), false);
});
