/** Values and streams that do not let themselves be read: each costs its own request at most, and nothing keeps a slot for it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { PoolingAgent } from '../../src/index.js';
import {
  asNode,
  holdingServer,
  LIMIT,
  replaceCreateConnection,
  send,
  untilIdle,
} from '../contract/support.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { collectUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';

function refuse(): never {
  throw new Error('not to be read');
}

/** Throws at whatever is done with it. */
const unreadable = (target: object = {}): object =>
  new Proxy(target, { get: refuse, getPrototypeOf: refuse, ownKeys: refuse });

test('an option that cannot be read is refused with a code', LIMIT, () => {
  for (const name of ['maxSockets', 'keepAliveMsecs', 'scheduling', 'sessionCache', 'hosts'] as const) {
    for (const value of [unreadable(), unreadable(() => {})]) {
      if (name === 'hosts' && typeof value === 'function') continue;
      assert.throws(
        () => new PoolingAgent({ [name]: value }),
        (error: Error & { code?: string }) =>
          error.code?.startsWith('ERR_') === true || error.message === 'not to be read',
        name,
      );
    }
  }
});

test('an error of the "tls" function that cannot be printed is told of all the same', LIMIT, async (t) => {
  const server = await httpsServer(t);
  let fails = false;
  const agent = poolingAgent(t, {
    tls: () => {
      if (fails) throw Object.assign(new Error('any'), { toString: refuse });
      return { ca: server.ca };
    },
  });
  fails = true;
  const said = once(process, 'warning') as Promise<[Error & { code?: string }]>;
  const answered = get(server, { agent, path: '/a' });
  const [{ code, message }] = await said;
  assert.equal(code, 'POOLING_AGENT_TLS');
  assert.match(message, /An error that cannot be printed$/);
  assert.equal((await answered).body, '/a');
});

test('an idle stream that does not say whether it is good is not leased', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  const socket = await untilIdle(agent);
  Object.defineProperty(socket, 'writable', { configurable: true, get: refuse });
  assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
  assert.equal(server.connections(), 2);
  Reflect.deleteProperty(socket, 'writable');
  socket.destroy();
});

test('a stream that cannot be examined after an exception does not stop the search', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const unreadableOne = send(server, { agent, path: '/unreadable' });
  await until(() => server.held.length === 1);
  const { socket } = unreadableOne.req;
  assert.ok(socket);
  Object.defineProperty(socket, 'closed', { configurable: true, get: refuse });
  const uncaught = collectUncaught(t);
  // Node's client goes no further with the one whose listener throws: its connection is found.
  const cutShort = send(server, { agent, path: '/cut-short' });
  cutShort.req.once('socket', () => {
    throw new Error('a listener');
  });
  await until(() => uncaught.length === 1);
  await cutShort.closed;
  assert.equal(cutShort.errors.length, 1);
  Reflect.deleteProperty(socket, 'closed');
  await until(() => server.held.length === 1);
  server.held[0]?.end();
  await unreadableOne.closed;
  assert.deepEqual([unreadableOne.errors, uncaught.length], [[], 1]);
});

test('a stream that does not let itself be destroyed gives its slot back', LIMIT, async (t) => {
  const agent = poolingAgent(t, { maxSockets: 1, connectTimeout: 20 });
  let throws = 0;
  replaceCreateConnection(agent, () => {
    // It leads nowhere, so that the time of the dial runs out.
    const socket = new Socket();
    Object.defineProperty(socket, 'connecting', { value: true });
    socket.destroy = () => {
      throws++;
      throw new Error('not to be destroyed');
    };
    return socket;
  });
  const uncaught = collectUncaught(t);
  send({ port: 1 }, { agent });
  await until(() => throws > 0 && uncaught.length > 0 && agent.totalSocketCount === 0);
  for (const error of uncaught) assert.match(String(error), /not to be destroyed/);
});

/** Every place where options are read: the getter throws one reading later each time. */
for (const maxSockets of [1, Infinity]) {
  for (const binding of ['eager', 'late'] as const) {
    test(
      `a getter among options may throw at any time (${binding}, maxSockets: ${maxSockets})`,
      LIMIT,
      async (t) => {
        const server = await httpsServer(t);
        const agent = poolingAgent(t, { ca: server.ca, maxSockets, binding });
        let outcome = '';
        let failures = 0;
        for (let good = 0; outcome !== '/getter' && good < 40; good++) {
          agent.destroy();
          await until(() => agent.totalSocketCount === 0);
          let reads = 0;
          const options = Object.assign(Object.create(null), {
            host: 'localhost',
            port: server.port,
          }) as object;
          Object.defineProperty(options, 'family', {
            enumerable: true,
            get: () => (reads++ < good ? 4 : refuse()),
          });
          const before = maxSockets === 1 ? get(server, { agent, family: 4 }) : undefined;
          outcome = await ask(agent, options, '/getter');
          if (outcome !== '/getter') {
            assert.equal(outcome, 'not to be read');
            failures++;
          }
          await before;
          assert.equal((await get(server, { agent, family: 4, path: '/next' })).body, '/next');
          await until(() => idleCount(agent) === agent.totalSocketCount);
        }
        assert.equal(outcome, '/getter', 'in the end it is read no further');
        assert.ok(failures > 0);
      },
    );
  }
}

/** A request that is handed to the agent as `options` say: the body of its answer, or the message of what went wrong. */
async function ask(agent: PoolingAgent, options: object, path: string): Promise<string> {
  const collecting = { protocol: 'https:', addRequest: () => {} } as unknown as http.Agent;
  const req = http.request({ protocol: 'https:', path, agent: collecting });
  const answer = new Promise<string>((resolve, reject) => {
    let errors = 0;
    req.on('error', ({ message }) => (++errors > 1 ? reject(new Error('a second error')) : resolve(message)));
    req.on('response', (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      res.on('end', () => resolve(body));
    });
  });
  try {
    asNode(agent).addRequest(req.end(), options);
  } catch (error) {
    return (error as Error).message;
  }
  return answer;
}

test('what waits, and what a socket is in the pool, show nothing of what is in them', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const passphrase = 'a secret of the caller';
  const [first, second] = [send(server, { agent, passphrase }), send(server, { agent, passphrase })];
  await until(() => server.held.length === 1);
  await new Promise(setImmediate);
  const marksOf = (object: object): string =>
    Object.getOwnPropertySymbols(object)
      .map((symbol) => inspect(Reflect.get(object, symbol), { depth: 9 }))
      .filter((text) => /^(?:PendingRequest|PooledRequest|PooledSocket) /.test(text))
      .join();
  assert.equal(marksOf(second.req), "PendingRequest { state: 'queued' }");
  assert.ok(first.req.socket);
  assert.equal(marksOf(first.req.socket), "PooledSocket { state: 'active' }");
  for (const { req, closed } of [first, second]) {
    req.destroy();
    await closed;
  }
});
