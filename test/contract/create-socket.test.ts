/** `createSocket`, overridden as proxy agents do: late, by itself, or with a call of super; and its callback. */
import assert from 'node:assert/strict';
import type { ClientRequest } from 'node:http';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import type { PoolingAgentOptions } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { connect, PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { asNode, forBoth, LIMIT, replaceCreateConnection, untilIdle } from './support.js';
import type { Callback, Options } from './support.js';

/** The methods as Node's typings do not show them. */
const Base = PoolingAgent as unknown as new (options?: PoolingAgentOptions) => ReturnType<typeof asNode>;

/** As agent-base, below every proxy agent: connect first, then let createConnection return what there is. */
class ProxyLike extends Base {
  #socket: unknown;

  override createSocket(req: ClientRequest, options: Options, callback: Callback): void {
    const connecting = new Promise((resolve) => {
      setImmediate(() => resolve(connect(options as ConnectionOptions)));
    });
    connecting.then(
      (socket) => {
        this.#socket = socket;
        super.createSocket(req, options, callback);
      },
      (error: unknown) => callback(error as Error),
    );
  }

  override createConnection(): never {
    const socket = this.#socket;
    this.#socket = undefined;
    return socket as never;
  }
}

test('createSocket may connect first and call super later', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = new ProxyLike({ ca: server.ca, maxSockets: 2 });
  t.after(() => agent.destroy());
  const answers = await Promise.all(['/1', '/2', '/3', '/4'].map((path) => get(server, { agent, path })));
  assert.deepEqual(
    answers.map(({ body }) => body),
    ['/1', '/2', '/3', '/4'],
  );
  assert.equal(server.connections(), 2);
  await untilIdle(agent, 2);
});

forBoth('createSocket may call back by itself, also with an error', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca, keepAlive: false });
  const error = new Error('no tunnel');
  let fails = false;
  agent.createSocket = (_req, options, callback) => {
    setImmediate(() => (fails ? callback(error) : callback(null, connect(options as ConnectionOptions))));
  };
  assert.equal((await get(server, { agent, path: '/direct' })).body, '/direct');
  fails = true;
  await assert.rejects(get(server, { agent, path: '/again', headers: { connection: 'close' } }), error);
});

test('a callback of createSocket counts once, whoever calls it twice', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = asNode(poolingAgent(t, { ca: server.ca }));
  const { createConnection, createSocket } = agent;
  let calls = 0;
  replaceCreateConnection(agent, (...args) => {
    const socket = Reflect.apply(createConnection, agent, args) as Duplex;
    args[1](null, socket);
    return socket;
  });
  agent.createSocket = (req, options, callback) => {
    createSocket.call(agent, req, options, (error, socket) => {
      calls++;
      callback(error, socket);
      callback(null, new Duplex());
      callback(new Error('too late'));
    });
  };
  assert.equal((await get(server, { agent, path: '/once' })).body, '/once');
  assert.equal(calls, 1);
  await untilIdle(agent);
  assert.equal(agent.totalSocketCount, 1);
});
