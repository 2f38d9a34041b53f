/** Whom we talk to, and from where. */
import assert from 'node:assert/strict';
import { ADDRCONFIG } from 'node:dns';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { LookupFunction, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { lookupLoopback } from '../../contract/support.js';
import { everywhere, at, mirror } from './support.js';
import type { Options } from './support.js';

/** A `lookup` that finds every name on the loopback, and notes what it was asked. */
function notingLookup(): { lookup: LookupFunction; asked: Options[] } {
  const asked: Options[] = [];
  const lookup: LookupFunction = (hostname, options, callback) => {
    asked.push({ hostname, ...options });
    lookupLoopback(hostname, options, callback);
  };
  return { lookup, asked };
}

everywhere(['host'], 'is dialled', async ({ t, place, client }) => {
  const server = await mirror(t);
  const given = (host: string) => (place === 'agent' ? [{ host }, {}] : [{}, { host }]);
  const [options = {}, more] = given('127.0.0.1');
  assert.equal((await client(options).ask(server, more)).socket.remoteAddress, '127.0.0.1');
  // Nobody listens there.
  const [elsewhere = {}, other] = given('127.0.0.2');
  await assert.rejects(client(elsewhere).ask(server, other), { code: 'ECONNREFUSED', address: '127.0.0.2' });
});

at('request', ['hostname'], 'comes before host', async ({ t, client }) => {
  const server = await mirror(t);
  const { socket } = await client({}).ask(server, { hostname: '127.0.0.1', host: '127.0.0.2' });
  assert.equal(socket.remoteAddress, '127.0.0.1');
});

at('agent', ['hostname'], 'means nothing', async ({ t, client }) => {
  const server = await mirror(t);
  assert.equal((await client({ hostname: '127.0.0.2' }).ask(server)).socket.remoteAddress, '127.0.0.1');
});

everywhere(['port'], 'is dialled', async ({ t, place, client }) => {
  const server = await mirror(t);
  const given = (port: unknown) => (place === 'agent' ? [{ port }, {}] : [{}, { port }]);
  for (const port of [server.port, String(server.port)]) {
    const [options = {}, more] = given(port);
    assert.equal((await client(options).ask({ port: 1 }, more)).socket.remotePort, server.port);
  }
  const [options = {}, more] = given(65536);
  await assert.rejects(async () => client(options).ask(server, more), { code: 'ERR_SOCKET_BAD_PORT' });
});

at('agent', ['path'], 'means nothing', async ({ t, client }) => {
  const server = await mirror(t);
  assert.equal((await client({ path: '/no/such/socket' }).ask(server)).socket.remotePort, server.port);
});

at('request', ['path'], 'is that of the URL', async ({ t, client }) => {
  const server = await mirror(t, {}, (req, res) => res.end(JSON.stringify(req.url)));
  assert.equal((await client({ path: '/some/where' }).ask(server)).seen, '/some/where');
});

everywhere(['socketPath'], 'is dialled in place of host and port', async ({ t, client }) => {
  const server = await mirror(t);
  const directory = await mkdtemp(join(tmpdir(), 'options-'));
  const socketPath = join(directory, 'socket');
  const sockets: Socket[] = [];
  const relay = createServer((socket) => {
    const behind = connect(server.port, '127.0.0.1');
    for (const end of [socket, behind]) sockets.push(end.on('error', () => {}));
    socket.pipe(behind).pipe(socket);
  }).listen(socketPath);
  await once(relay, 'listening');
  t.after(async () => {
    for (const socket of sockets) socket.destroy();
    relay.close();
    await rm(directory, { recursive: true });
  });
  assert.equal((await client({ socketPath }).ask({ port: 1 })).seen.servername, 'localhost');
  await assert.rejects(client({ socketPath: join(directory, 'none') }).ask(server), { code: 'ENOENT' });
});

everywhere(['servername'], 'is sent, and checked', async ({ t, client }) => {
  const server = await mirror(t);
  assert.equal((await client({}).ask(server)).seen.servername, 'localhost');
  assert.equal((await client({ servername: 'a.localhost' }).ask(server)).seen.servername, 'a.localhost');
  assert.equal((await client({ servername: '' }).ask(server)).seen.servername, false);
  await assert.rejects(client({ servername: 'a.test' }).ask(server), {
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  await assert.rejects(client({ servername: 1 }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

everywhere(['lookup'], 'finds the address', async ({ t, client }) => {
  const server = await mirror(t);
  const { lookup, asked } = notingLookup();
  const options = { lookup, servername: 'localhost' };
  const { socket } = await client(options).ask(server, { host: 'a.test' });
  assert.equal(socket.remoteAddress, '127.0.0.1');
  assert.equal(asked[0]?.['hostname'], 'a.test');
  const refusal = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
  const failing: LookupFunction = (_name, _options, callback) => callback(refusal, '', 4);
  await assert.rejects(client({ lookup: failing }).ask(server), refusal);
  await assert.rejects(client({ lookup: 'dns' }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

everywhere(['family', 'hints'], 'reach the lookup', async ({ t, client }) => {
  const server = await mirror(t);
  const { lookup, asked } = notingLookup();
  await client({ lookup, family: 4, hints: ADDRCONFIG }).ask(server);
  assert.equal(asked[0]?.['family'], 4);
  assert.equal(asked[0]?.['hints'], ADDRCONFIG);
  await assert.rejects(client({ family: 5 }).ask(server), { code: 'ERR_INVALID_ARG_VALUE' });
  await assert.rejects(client({ hints: 4711 }).ask(server), { code: 'ERR_INVALID_ARG_VALUE' });
});

everywhere(['localAddress'], 'is where the server sees us come from', async ({ t, client }) => {
  const server = await mirror(t);
  const { seen } = await client({ localAddress: '127.0.0.2' }).ask(server);
  assert.equal(seen.remoteAddress, '127.0.0.2');
  await assert.rejects(client({ localAddress: 'localhost' }).ask(server), {
    code: 'ERR_INVALID_IP_ADDRESS',
  });
});

/** Below those that the system gives to others. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    await new Promise((resolve) => server.close(resolve));
    if (isFree) return port;
  }
}

everywhere(['localPort'], 'is good for one connection at a time', async ({ t, client }) => {
  const server = await mirror(t);
  const localPort = await freePort();
  const one = client({ localPort, localAddress: '127.0.0.1' });
  const answers = await Promise.allSettled([one.ask(server), one.ask(server)]);
  // One has the port: whose address was found first. The other shared the connection, or found the port taken.
  assert.ok(answers.some(({ status }) => status === 'fulfilled'));
  for (const answer of answers) {
    if (answer.status === 'fulfilled') assert.equal(answer.value.seen.remotePort, localPort);
    else assert.match(String(Reflect.get(answer.reason as Error, 'code')), /^EADDR(INUSE|NOTAVAIL)$/);
  }
  assert.equal((await one.ask(server)).seen.remotePort, localPort);
  assert.equal(server.connections(), 1);
  await assert.rejects(client({ localPort: 'x' }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

const twoAddresses =
  (first: { address: string; family: number }): LookupFunction =>
  (_hostname, { all }, callback) => {
    if (all) callback(null, [first, { address: '127.0.0.1', family: 4 }]);
    else callback(null, first.address, first.family);
  };

everywhere(['autoSelectFamily'], 'tries the next address', async ({ t, client }) => {
  const server = await mirror(t);
  // Nobody listens there, if it exists at all.
  const lookup = twoAddresses({ address: '::1', family: 6 });
  const { socket } = await client({ lookup, autoSelectFamily: true }).ask(server);
  assert.equal(socket.remoteAddress, '127.0.0.1');
  await assert.rejects(client({ lookup, autoSelectFamily: false }).ask(server), { address: '::1' });
  await assert.rejects(client({ autoSelectFamily: 1 }).ask(server), { code: 'ERR_INVALID_ARG_TYPE' });
});

/** Listens, and never accepts: with its backlog full, the kernel answers no further connection. */
async function blackHole(port: number): Promise<Worker> {
  const code = `
    require('node:net').createServer().listen({ port: ${port}, host: '127.0.0.2', backlog: 1 }, () => {
      require('node:worker_threads').parentPort.postMessage('listening');
      setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
    });`;
  const worker = new Worker(code, { eval: true });
  await once(worker, 'message');
  return worker;
}

everywhere(
  ['autoSelectFamilyAttemptTimeout'],
  'gives up on an address that does not answer',
  async ({ t, client }) => {
    const server = await mirror(t);
    const worker = await blackHole(server.port);
    const fillers = Array.from({ length: 4 }, () => connect(server.port, '127.0.0.2').on('error', () => {}));
    t.after(async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    });
    await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')));
    const lookup = twoAddresses({ address: '127.0.0.2', family: 4 });
    const options = { lookup, autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 20 };
    const { socket } = await client(options).ask(server);
    assert.equal(socket.remoteAddress, '127.0.0.1');
    await assert.rejects(client({ autoSelectFamilyAttemptTimeout: 0 }).ask(server), {
      code: 'ERR_OUT_OF_RANGE',
    });
  },
);
