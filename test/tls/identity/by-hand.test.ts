/** `addRequest` called by hand, with options that Node's client would never hand over: what counts is what is dialled. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { asNode } from '../../contract/support.js';
import type { NodeAgent } from '../../contract/support.js';
import { poolingAgent, poolOf } from '../../support/agent.js';
import { until } from '../../support/until.js';
import { mirror, pem } from '../options/support.js';
import type { Options } from './support.js';

const LIMIT = { timeout: 120_000 };
const ca = pem('ca.pem');

/** A request that no agent has yet. */
function loose(path = '/'): http.ClientRequest {
  const collecting = { protocol: 'https:', keepAlive: true, addRequest: () => {} } as unknown as http.Agent;
  return http.request({ protocol: 'https:', path, agent: collecting });
}

async function ask(agent: NodeAgent, options: object): Promise<TLSSocket> {
  const req = loose();
  agent.addRequest(req.end(), options);
  const [res] = (await once(req, 'response')) as [http.IncomingMessage];
  await res.resume().toArray();
  return req.socket as TLSSocket;
}

function agentOf(t: TestContext, options: Options = {}): NodeAgent {
  return asNode(poolingAgent(t, options));
}

test('inherited options count for nothing, as in Node’s agent', LIMIT, async (t) => {
  const server = await mirror(t);
  const agent = agentOf(t, { ca });
  const own = { host: 'localhost', port: server.port };
  const socket = await ask(agent, own);
  const inherited = {
    servername: 'a.localhost',
    host: 'nowhere.test',
    localAddress: '127.0.0.2',
    maxVersion: 'TLSv1.2',
  };
  const options = Object.assign(Object.create(inherited) as Options, own);
  assert.equal(await ask(agent, options), socket);
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  // A host that is only inherited must fail: the identity would have one host, and another would be dialled.
  const none = loose();
  agent.addRequest(none.end(), Object.create({ host: 'localhost', port: server.port }) as object);
  await assert.rejects(once(none, 'response'));
});

test('an accessor is read once', LIMIT, async (t) => {
  const server = await mirror(t);
  const agent = agentOf(t);
  let reads = 0;
  const options = {
    host: 'localhost',
    port: server.port,
    get ca() {
      reads++;
      return reads === 1 ? ca : pem('other-ca.pem');
    },
  };
  assert.equal((await ask(agent, options)).authorized, true);
  assert.equal(reads, 1);
});

test('an accessor in the agent’s options is dialled with what the identity stands for', LIMIT, async (t) => {
  const server = await mirror(t);
  const agent = poolingAgent(t, { ca });
  let reads = 0;
  Object.defineProperty(agent.options, 'maxVersion', {
    enumerable: true,
    get: () => (reads++ % 3 ? 'TLSv1.3' : 'TLSv1.2'),
  });
  for (let i = 0; i < 5; i++) await ask(asNode(agent), { host: 'localhost', port: server.port });
  for (const { connections, origin } of poolOf(agent).hosts) {
    for (const { pooled } of connections) {
      assert.equal(pooled?.socket.getProtocol?.(), origin.profile.values.get('maxVersion'));
    }
  }
  assert.ok(reads > 3);
});

test('options that are changed while the request waits hold for later ones', LIMIT, async (t) => {
  const held: (() => void)[] = [];
  const server = await mirror(t, {}, (req, res) => {
    if (req.url === '/held') held.push(() => req.socket.destroy());
    else res.end();
  });
  const agent = agentOf(t, { maxSockets: 1 });
  const options: Options = { host: 'localhost', port: server.port, ca };
  const first = loose('/held').on('error', () => {});
  agent.addRequest(first.end(), options);
  await until(() => held.length === 1);
  const second = ask(agent, options);
  Object.assign(options, {
    host: '127.0.0.2',
    ca: undefined,
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
  });
  held[0]?.();
  const socket = await second;
  assert.equal(socket.authorized, true);
  assert.equal(socket.getProtocol(), 'TLSv1.3');
});

test('`agent.options` may be replaced as a whole', LIMIT, async (t) => {
  const server = await mirror(t);
  const agent = agentOf(t, { ca });
  const options = { host: 'localhost', port: server.port };
  const first = await ask(agent, options);
  agent.options = { ...agent.options, maxVersion: 'TLSv1.2' };
  const second = await ask(agent, options);
  assert.equal(second.getProtocol(), 'TLSv1.2');
  agent.options = { ca };
  assert.equal(await ask(agent, options), first);
});

test('a subclass that changes the options in createSocket gets what it asks for', LIMIT, async (t) => {
  const server = await mirror(t);
  const agent = agentOf(t, { ca });
  const createSocket = agent.createSocket.bind(agent);
  agent.createSocket = (req, options, callback) =>
    createSocket(req, { ...options, servername: 'a.localhost', maxVersion: 'TLSv1.2' }, callback);
  const socket = await ask(agent, { host: 'localhost', port: server.port });
  assert.equal(socket.getProtocol(), 'TLSv1.2');
  assert.equal(Reflect.get(socket, 'servername'), 'a.localhost');
});
