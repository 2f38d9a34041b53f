/** Subclasses: what they override is called on the instance, with Node's arguments; what they call is there. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { poolingAgent } from '../support/agent.js';
import { isPlain, nodes, PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { asNode, forBoth, LIMIT, sizeOf, untilIdle } from './support.js';
import { until } from '../support/until.js';
import type { Options } from './support.js';

const OVERRIDABLE = [
  'addRequest', 'createSocket', 'createConnection', 'removeSocket', 'keepSocketAlive', 'reuseSocket', 'getName', 'destroy',
  ...(isPlain ? [] : ['_getSession', '_cacheSession', '_evictSession']),
]; // prettier-ignore

test('the constructor calls nothing that is overridable', LIMIT, () => {
  const called: string[] = [];
  class Eager extends PoolingAgent {}
  for (const name of OVERRIDABLE) {
    assert.equal(typeof Reflect.get(PoolingAgent.prototype, name), 'function', name);
    Reflect.set(Eager.prototype, name, () => called.push(name));
  }
  const agent = new Eager({ keepAlive: true, maxSockets: 1, timeout: 10 });
  assert.deepEqual(called, []);
  assert.equal(agent.constructor, Eager);
});

forBoth('the hooks are called on the instance, also when they come late', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  const calls: unknown[][] = [];
  for (const name of ['createSocket', 'createConnection', 'keepSocketAlive', 'reuseSocket', 'removeSocket']) {
    const original = Reflect.get(agent, name) as (...args: unknown[]) => unknown;
    Reflect.set(agent, name, function hook(this: unknown, ...args: unknown[]) {
      calls.push([name, this === agent, ...args]);
      return Reflect.apply(original, this, args);
    });
  }
  const first = (await get(server, { agent })).req;
  const socket = await untilIdle(agent);
  const second = (await get(server, { agent })).req;
  await untilIdle(agent);
  socket.destroy();
  await until(() => agent.totalSocketCount === 0);

  assert.ok(calls.every(([, onAgent]) => onAgent === true));
  const called = (name: string): unknown[][] => calls.filter((call) => call[0] === name);
  assert.equal(called('createSocket').length, 1);
  assert.equal(called('createSocket')[0]?.[2], first);
  assert.equal((called('createSocket')[0]?.[3] as Options)['port'], server.port);
  assert.equal(typeof called('createSocket')[0]?.[4], 'function');
  assert.equal(called('createConnection').length, 1);
  assert.deepEqual(
    called('keepSocketAlive').map((call) => call[2]),
    [socket, socket],
  );
  assert.deepEqual(
    called('reuseSocket').map((call) => call.slice(2)),
    [[socket, second]],
  );
  assert.equal(called('removeSocket').at(-1)?.[2], socket);
  assert.equal((called('removeSocket').at(-1)?.[3] as Options)['port'], server.port);
});

forBoth('keepSocketAlive: false, and the socket is not kept', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  agent.keepSocketAlive = () => false;
  await get(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  await get(server, { agent });
  assert.equal(server.connections(), 2);
});

test('a removeSocket that forgets to call super loses no slot', LIMIT, async (t) => {
  const server = await httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end());
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  agent.removeSocket = () => {};
  await Promise.all([get(server, { agent }), get(server, { agent })]);
  await until(() => agent.totalSocketCount === 0);
});

test('removeSocket may be called for any socket, any number of times', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = asNode(poolingAgent(t, { ca: server.ca, maxSockets: 1 }));
  const { req } = await get(server, { agent });
  const socket = await untilIdle(agent);
  const stranger = new Duplex();
  agent.removeSocket(stranger, {});
  assert.equal(agent.totalSocketCount, 1);
  socket.destroy();
  for (let times = 0; times < 3; times++)
    agent.removeSocket(socket, { host: 'localhost', port: server.port });
  await until(() => socket.closed);
  agent.removeSocket(req.socket as TLSSocket, {});
  assert.equal(agent.totalSocketCount, 0);
  assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
});

forBoth('another agent may pass its requests on to addRequest', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const inner = make({ ca: server.ca });
  // As proxy-agent does, from its createSocket.
  const outer = asNode(new nodes.Agent({ keepAlive: true }));
  outer.createSocket = (req, options) => setImmediate(() => inner.addRequest(req, options));
  assert.equal((await get(server, { agent: outer, path: '/1' })).body, '/1');
  await untilIdle(inner);
  assert.equal((await get(server, { agent: outer, path: '/2' })).body, '/2');
  assert.equal(server.connections(), 1);
  assert.equal(sizeOf(outer.freeSockets) + outer.totalSocketCount, 0);
});

forBoth(
  'addRequest may be overridden to write the header anew, then call super',
  async ({ t, agent: make }) => {
    const server = await httpsServer(t, (req, res) => res.end(req.headers.cookie));
    const agent = make({ ca: server.ca });
    const original = agent.addRequest;
    // As http-cookie-agent does.
    agent.addRequest = function addRequest(req, options) {
      Reflect.set(req, '_header', null);
      req.setHeader('cookie', 'a=1');
      (Reflect.get(req, '_implicitHeader') as () => void).call(req);
      original.call(this, req, options);
    };
    assert.equal((await get(server, { agent })).body, 'a=1');
    assert.equal((await get(server, { agent })).body, 'a=1');
  },
);
