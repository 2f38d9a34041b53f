/** The socket below, and what a pool has to say about it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { TestContext } from 'node:test';
import { until } from '../../support/until.js';
import { at, everywhere, mirror, pem } from './support.js';
import type { Options } from './support.js';

/** Node keeps on a socket what was set, under symbols. */
function setting(socket: Socket, name: string): unknown {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  return symbol && Reflect.get(socket, symbol);
}

at('agent', ['noDelay'], 'reaches the socket', async ({ t, client }) => {
  const server = await mirror(t);
  assert.equal(setting((await client({}).ask(server)).socket, 'kSetNoDelay'), true);
  assert.equal(setting((await client({ noDelay: false }).ask(server)).socket, 'kSetNoDelay'), false);
});

at('request', ['noDelay'], 'is the agent’s', async ({ t, client }) => {
  const server = await mirror(t);
  assert.equal(setting((await client({ noDelay: false }).ask(server)).socket, 'kSetNoDelay'), true);
});

everywhere(['timeout'], 'is the socket’s while a request has it', async ({ t, client }) => {
  const server = await mirror(t, {}, () => {});
  const { agent, options } = client({ timeout: 100 });
  const req = request({ ...options, host: 'localhost', port: server.port, agent } as object).end();
  req.on('error', () => {});
  await once(req, 'timeout');
  assert.equal(req.socket?.timeout, 100);
  req.destroy();
});

everywhere(['highWaterMark'], 'is the socket’s, new and reused', async ({ t, client }) => {
  const server = await mirror(t);
  const one = client({ highWaterMark: 4711 });
  const first = await one.ask(server);
  const second = await one.ask(server);
  assert.equal(second.reused, true);
  assert.equal(second.socket.writableHighWaterMark, 4711);
  assert.equal(first.socket, second.socket);
});

at('agent', ['signal'], 'closes its connections', async ({ t, client }) => {
  const server = await mirror(t, {}, () => {});
  const controller = new AbortController();
  const { agent } = client({ signal: controller.signal });
  const req = request({ host: 'localhost', port: server.port, agent }).end();
  await until(() => server.requests() === 1);
  controller.abort();
  const [error] = (await once(req, 'error')) as [Error];
  assert.equal(error.name, 'AbortError');
});

at('request', ['signal'], 'ends the request, not others on its connection', async ({ t, client }) => {
  const server = await mirror(t);
  const controller = new AbortController();
  const { agent, options, ask } = client({});
  const first = await ask(server, { signal: controller.signal });
  controller.abort();
  const second = await ask(server);
  assert.equal(second.socket, first.socket);
  const aborted = request({
    ...options,
    host: 'localhost',
    port: server.port,
    agent,
    signal: controller.signal,
  });
  const [error] = (await once(aborted, 'error')) as [Error];
  assert.equal(error.name, 'AbortError');
});

everywhere(['session'], 'is resumed', async ({ t, client }) => {
  const server = await mirror(t, { maxVersion: 'TLSv1.2' });
  // Recent Nodes resume verified connections only with sessions that they have made themselves, and hand out here.
  let session: unknown;
  const first = client({});
  const { options, agent } = first;
  const req = request({ ...options, host: 'localhost', port: server.port, agent } as object).end();
  req.on('socket', (socket: TLSSocket) => socket.on('session', (made: Buffer) => (session = made)));
  const [res] = await once(req, 'response');
  res.resume();
  await until(() => session);
  assert.equal((await client({ session }).ask(server)).seen.resumed, true);
  assert.equal((await client({}).ask(server)).seen.resumed, false);
});

async function connected(t: TestContext, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

everywhere(['socket'], 'carries the connection, for those who bring the same', async ({ t, client }) => {
  const server = await mirror(t);
  const socket = await connected(t, server.port);
  const one = client({ socket });
  const first = await one.ask(server);
  assert.equal(first.seen.remotePort, socket.localPort);
  assert.equal((await one.ask(server)).socket, first.socket);
  assert.equal(server.connections(), 1);
});

everywhere(['socket'], 'carries one connection, not two', async ({ t, client }) => {
  const server = await mirror(t);
  const one = client({ socket: await connected(t, server.port) });
  const answers = await Promise.allSettled([one.ask(server), one.ask(server), one.ask(server)]);
  for (const answer of answers) {
    if (answer.status === 'fulfilled') assert.equal(answer.value.seen.protocol, 'TLSv1.3');
    else assert.equal(Reflect.get(answer.reason as Error, 'code'), 'ERR_INVALID_ARG_VALUE');
  }
  assert.equal(answers[0].status, 'fulfilled');
  assert.equal(server.connections(), 1);
  // Nor one after the other.
  one.agent.destroy();
  await until(() => server.open() === 0);
  await assert.rejects(one.ask(server), { code: 'ERR_INVALID_ARG_VALUE' });
});

everywhere(['onread'], 'is ignored: HTTP reads the connection', async ({ t, client }) => {
  const server = await mirror(t);
  const onread = { buffer: Buffer.alloc(1024), callback: () => assert.fail('called') };
  const one = client({ onread });
  const first = await one.ask(server);
  assert.equal(first.seen.protocol, 'TLSv1.3');
  assert.equal((await one.ask(server)).socket, first.socket);
});

everywhere(
  ['allowHalfOpen'],
  'changes nothing: a connection that the server ends is closed',
  async ({ t, client }) => {
    const server = await mirror(t);
    const { socket } = await client({ allowHalfOpen: true }).ask(server);
    await server.close();
    await until(() => socket.destroyed);
  },
);

at(
  'agent',
  ['keepAlive', 'keepAliveMsecs'],
  'keep connections, and arm the probes',
  async ({ t, client }) => {
    const server = await mirror(t);
    const one = client({ keepAlive: true, keepAliveMsecs: 5000 });
    const { socket } = await one.ask(server);
    assert.equal((await one.ask(server)).socket, socket);
    await until(() => setting(socket, 'kSetKeepAlive') === true);
    assert.equal(setting(socket, 'kSetKeepAliveInitialDelay'), 5);
    const closing = await client({ keepAlive: false }).ask(server);
    await until(() => closing.socket.destroyed);
  },
);

at(
  'request',
  ['keepAlive', 'keepAliveMsecs', 'keepAliveInitialDelay'],
  'are the agent’s',
  async ({ t, client }) => {
    const server = await mirror(t);
    const one = client({ keepAlive: false, keepAliveMsecs: 5000, keepAliveInitialDelay: 7000 });
    const { socket } = await one.ask(server);
    assert.equal((await one.ask(server)).socket, socket);
    await until(() => setting(socket, 'kSetKeepAliveInitialDelay') === 1);
  },
);

at('agent', ['keepAliveInitialDelay'], 'is keepAliveMsecs', async ({ t, client }) => {
  const server = await mirror(t);
  const { socket } = await client({ keepAliveInitialDelay: 7000 }).ask(server);
  await until(() => setting(socket, 'kSetKeepAliveInitialDelay') === 1);
});

everywhere(['enableTrace'], 'prints the packets', async ({ t, place }) => {
  const server = await mirror(t);
  const child = new URL('trace-child.js', import.meta.url).pathname;
  const tracing = spawn(process.execPath, [child, place, String(server.port)], {
    env: { ...process.env, CA: pem('ca.pem') },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const output = (await tracing.stderr.toArray()).join('');
  assert.match(output, /ClientHello/);
});

at('agent', ['defaultPort', 'protocol'], 'are those of its requests', async ({ t, client }) => {
  const server = await mirror(t);
  const { agent } = client({ defaultPort: server.port, protocol: 'https:' });
  const req = request({ host: 'localhost', agent }).end();
  const [res] = await once(req, 'response');
  res.resume();
  assert.equal(req.socket?.remotePort, server.port);
});

at('request', ['defaultPort', 'protocol'], 'are Node’s client’s', async ({ t, client }) => {
  const server = await mirror(t);
  const { agent, options } = client({ defaultPort: server.port });
  const req = request({ ...options, host: 'localhost', agent } as object).end();
  const [res] = await once(req, 'response');
  res.resume();
  assert.equal(req.socket?.remotePort, server.port);
  const wrong: Options = { ...options, host: 'localhost', agent, protocol: 'ftp:' };
  assert.throws(() => request(wrong), { code: 'ERR_INVALID_PROTOCOL' });
});
