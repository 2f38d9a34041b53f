/** Sockets from outside: which of them may serve the agent's requests, and what becomes of the others. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { RequestOptions } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { PassThrough } from 'node:stream';
import { before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { PoolingAgent, PoolingAgentOptions } from '../../src/index.js';
import { idleCount, poolingAgent, poolOf } from '../support/agent.js';
import { Agent, connect, isPlain, READY, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { authority } from '../tls/authority.js';
import type { Identity } from '../tls/authority.js';
import { LIMIT, send, untilIdle } from './support.js';

let alice: Identity;
before(async () => {
  alice = await (await authority('an authority')).issue('alice');
});

type Given = ConnectionOptions & { readonly host: string; readonly port: number };

/** Opens a connection without the agent, and gives it to it. */
async function handOver(
  agent: PoolingAgent,
  options: Given,
  opened: ConnectionOptions = options,
): Promise<TLSSocket> {
  const socket = connect({ ...options, ...opened, servername: 'localhost' });
  await once(socket, READY);
  agent.emit('free', socket, options);
  return socket;
}

interface Case {
  readonly agent?: (server: TestServer) => PoolingAgentOptions;
  readonly options?: (server: TestServer) => ConnectionOptions;
  /** In what it was opened differently from what is told. */
  readonly opened?: ConnectionOptions;
}

const trusting = ({ ca }: TestServer): ConnectionOptions => ({ ca });

const REFUSED_FOR_TLS: Record<string, Case> = {
  'the agent verifies, it was not': {
    agent: ({ ca }) => ({ ca, rejectUnauthorized: true }),
    options: ({ ca }) => ({ ca, rejectUnauthorized: false }),
  },
  'the agent trusts others': {
    agent: ({ ca }) => ({ ca: [ca, ca] }),
    options: trusting,
  },
  'the agent has a client certificate': { agent: () => ({ ...alice }), options: trusting },
  'the agent has none, and says so': {
    agent: () => ({ cert: undefined, key: undefined }),
    options: ({ ca }) => ({ ca, ...alice }),
  },
  'the agent has a check of its own': {
    agent: () => ({ checkServerIdentity: () => undefined }),
    options: trusting,
  },
  'the agent names another server': { agent: () => ({ servername: 'a.test.localhost' }), options: trusting },
  'the agent speaks a newer protocol': { agent: () => ({ minVersion: 'TLSv1.3' }), options: trusting },
  'it was not verified, whatever is told of it': {
    options: () => ({}),
    opened: { rejectUnauthorized: false },
  },
  'options that are no good': { options: () => ({ servername: 5 as never, rejectUnauthorized: false }) },
};

/** Sockets that the agent would have opened with other options than those of the request. Over plain TCP, options of TLS tell no connections apart. */
const REFUSED: Record<string, Case> = {
  'the agent goes elsewhere': { agent: () => ({ host: '127.0.0.1' }), options: trusting },
  ...(!isPlain && REFUSED_FOR_TLS),
};
function sceneOf(t: TestContext, { agent, options }: Case, server: TestServer): [PoolingAgent, Given] {
  return [
    poolingAgent(t, agent?.(server)),
    { ...(options ?? trusting)(server), host: 'localhost', port: server.port },
  ];
}

for (const [title, one] of Object.entries(REFUSED)) {
  test(`not adopted: ${title}`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const [agent, options] = sceneOf(t, one, server);
    const socket = await handOver(agent, options, one.opened);
    assert.equal(socket.destroyed, true);
    assert.equal(agent.totalSocketCount, 0);
    assert.equal(poolOf(agent).hosts.size, 0);
    // Nobody else listens, and what it still has to say must not end the process.
    socket.emit('error', new Error('too late'));
  });
}

const ADOPTED: Record<string, Case> = {
  'the agent has nothing to say': {},
  'both say the same': { agent: ({ ca }) => ({ ca: [ca] }) },
  'both have the same client certificate': {
    agent: ({ ca }) => ({ ca, ...alice }),
    options: ({ ca }) => ({ ca, ...alice }),
  },
  'neither verifies': {
    agent: () => ({ rejectUnauthorized: false }),
    options: () => ({ rejectUnauthorized: false }),
  },
};

for (const [title, one] of Object.entries(ADOPTED)) {
  test(`adopted: ${title}`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const [agent, options] = sceneOf(t, one, server);
    const socket = await handOver(agent, options);
    assert.equal(idleCount(agent), 1);
    const { req } = await get({ port: server.port, ca: options.ca as string }, { agent, ...alike(options) });
    assert.equal(req.socket, socket);
    assert.equal(server.connections(), 1);
  });
}

/** The values that a request can have for it. */
function alike({ cert, key, rejectUnauthorized }: ConnectionOptions): RequestOptions {
  return {
    ...(cert && { cert, key }),
    ...(rejectUnauthorized === false && { rejectUnauthorized }),
  } as RequestOptions;
}

test('one that a replaced createConnection has not made is not adopted', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const { createConnection } = agent;
  agent.createConnection = function custom(...args) {
    return createConnection.apply(this, args);
  };
  const socket = await handOver(agent, { host: 'localhost', port: server.port, ca: server.ca });
  assert.equal(socket.destroyed, true);
});

test('the tls function is asked first', { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t);
  let current: object = {};
  const agent = poolingAgent(t, { ca: server.ca, tls: () => current });
  current = alice;
  const socket = await handOver(agent, { host: 'localhost', port: server.port, ca: server.ca });
  assert.equal(socket.destroyed, true);
});

test('sockets that are not ready, or are none, are closed', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const options = { host: 'localhost', port: server.port, ca: server.ca };
  const plain = connectTcp(server.port, '127.0.0.1');
  await once(plain, 'connect');
  const securing = new TLSSocket(plain);
  // It speaks the other protocol, or is not ready to.
  const other = isPlain ? new TLSSocket(new PassThrough()) : connectTcp(server.port, '127.0.0.1');
  const destroyed = connect(options);
  destroyed.destroy();
  const ended = connect(options);
  await once(ended, READY);
  ended.end();
  const connecting = connect(options);
  for (const socket of [connecting, securing, other, destroyed, ended, new PassThrough()]) {
    agent.emit('free', socket, options);
    assert.equal(socket.destroyed, true, socket.constructor.name);
  }
  for (const nothing of [undefined, null, {}, 'text']) agent.emit('free', nothing, options);
  assert.equal(agent.totalSocketCount, 0);
});

test('HTTP/2 is not taken for HTTP/1.1', { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t, undefined, { ALPNProtocols: ['h2'] });
  const agent = poolingAgent(t);
  const options = { host: 'localhost', port: server.port, ca: server.ca, ALPNProtocols: ['h2', 'http/1.1'] };
  const socket = await handOver(agent, options);
  assert.equal(socket.alpnProtocol, 'h2');
  assert.equal(socket.destroyed, true);
});

for (const kind of ['ours', "Node's"]) {
  test(`one that another agent has is left alone: ${kind}`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const owner = kind === 'ours' ? poolingAgent(t) : new Agent({ keepAlive: true });
    t.after(() => owner.destroy());
    await get(server, { agent: owner });
    const socket = await untilIdle(owner);
    const agent = poolingAgent(t);
    agent.emit('free', socket, { host: 'localhost', port: server.port, ca: server.ca });
    assert.equal(agent.totalSocketCount, 0);
    assert.equal((await get(server, { agent: owner })).req.socket, socket);
  });
}

test('one that a request is using is left alone', LIMIT, async (t) => {
  const server = await httpsServer(t, (req, res) => void setTimeout(() => res.end(req.url), 20));
  const agent = poolingAgent(t);
  const options = { host: 'localhost', port: server.port, ca: server.ca };
  const socket = connect(options);
  await once(socket, READY);
  const sent = send(server, { agent: undefined as never, createConnection: () => socket });
  await once(sent.req, 'socket');
  agent.emit('free', socket, options);
  await sent.closed;
  assert.deepEqual(sent.errors, []);
  assert.ok(sent.events.includes('response'));
  assert.equal(agent.totalSocketCount, 0);
});

test('the same one, twice', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const options = { host: 'localhost', port: server.port, ca: server.ca };
  const socket = await handOver(agent, options);
  agent.emit('free', socket, options);
  assert.equal(agent.totalSocketCount, 1);
  const answers = await Promise.all(['/1', '/2'].map((path) => get(server, { agent, path })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    ['/1', '/2'],
  );
  await until(() => poolOf(agent).idle.size === agent.totalSocketCount);
});

test('one for whose host there are no limits is closed', LIMIT, async (t) => {
  const server = await httpsServer(t);
  let fails = true;
  const agent = poolingAgent(t, {
    hosts: () => {
      if (fails) throw new Error('no limits today');
      return undefined;
    },
  });
  const options = { host: 'localhost', port: server.port, ca: server.ca };
  const refused = await handOver(agent, options);
  assert.equal(refused.destroyed, true);
  assert.deepEqual([agent.totalSocketCount, poolOf(agent).hosts.size], [0, 0]);
  fails = false;
  const adopted = await handOver(agent, options);
  assert.equal((await get(server, { agent })).req.socket, adopted);
});

test('one that does not let itself be pooled keeps no slot', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const options = { host: 'localhost', port: server.port, ca: server.ca };
  const WAYS: Record<string, (socket: TLSSocket) => void> = {
    'takes no listeners': (socket) =>
      socket.on('newListener', (event) => {
        if (event === 'timeout') throw new Error('not this one');
      }),
    'takes no marks': (socket) => Object.preventExtensions(socket),
    'has bytes for nobody': (socket) => {
      socket.pause();
      socket.unshift(Buffer.from('stray'));
    },
  };
  for (const [what, prepare] of Object.entries(WAYS)) {
    const socket = connect(options);
    await once(socket, READY);
    prepare(socket);
    agent.emit('free', socket, options);
    await until(() => socket.destroyed && agent.totalSocketCount === 0);
    assert.equal((await get(server, { agent, path: `/${encodeURI(what)}` })).req.reusedSocket, false);
    agent.destroy();
    await until(() => agent.totalSocketCount === 0);
  }
});
