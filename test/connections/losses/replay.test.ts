import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import diagnostics from 'node:diagnostics_channel';
import { request } from '../../support/protocol.js';
import type { RequestOptions } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { PoolingAgent, PoolingAgentOptions } from '../../../src/index.js';
import { poolingAgent, poolOf } from '../../support/agent.js';
import { block } from '../../support/block.js';
import { until } from '../../support/until.js';
import { fickleServer } from '../fickle-server.js';
import type { Connection, FickleServer, Received } from '../fickle-server.js';

const LIMIT = { timeout: 120_000 };

/** The events and results of a request that its caller sees. */
interface Seen {
  readonly req: ClientRequest;
  readonly events: string[];
  readonly closed: Promise<void>;
  error?: NodeJS.ErrnoException;
  body?: string;
  res?: IncomingMessage;
  /** Whether the response came on the socket that the request says it has. */
  rightSocket?: boolean;
}

interface Bench {
  readonly server: FickleServer;
  readonly agent: PoolingAgent;
  send(options?: RequestOptions, body?: string | Buffer | null): Seen;
  /** The number of first requests that are answered together: each of them has a connection of its own. */
  together: number;
}

/** `onRequest` is asked about every request but the first on each connection, which are answered. */
async function bench(
  t: TestContext,
  onRequest: (received: Received) => void = (req) => req.connection.answer(req),
  options: PoolingAgentOptions = {},
): Promise<Bench> {
  const first: Received[] = [];
  const server = await fickleServer(t, (req) => {
    if (req.place > 0) onRequest(req);
    else if (first.push(req) >= all.together) for (const one of first.splice(0)) one.connection.answer(one);
  });
  // Or the loss would be seen before the request is sent.
  const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: Infinity, ...options });
  const all: Bench = { server, agent, send: (...args) => sendTo(server.port, agent, ...args), together: 1 };
  return all;
}

/** @param body `null`: the caller ends the request */
function sendTo(
  port: number,
  agent: PoolingAgent,
  options: RequestOptions = {},
  body: string | Buffer | null = '',
): Seen {
  const req = request({ host: 'localhost', port, agent, ...options });
  const events: string[] = [];
  for (const event of ['socket', 'finish', 'response', 'timeout', 'abort', 'close']) {
    req.on(event, () => events.push(event));
  }
  const seen: Seen = {
    req,
    events,
    closed: new Promise((resolve) => req.on('close', resolve)),
  };
  req.on('error', (error) => {
    events.push('error');
    seen.error = error;
  });
  req.on('response', (res) => {
    seen.res = res;
    seen.body = '';
    seen.rightSocket = res.socket === req.socket;
    res.setEncoding('utf8');
    res.on('data', (chunk: string) => (seen.body += chunk));
  });
  if (body !== null) req.end(body || undefined);
  return seen;
}

async function warmUp(b: Bench, count = 1): Promise<void> {
  const { agent, send } = b;
  b.together = count;
  const all = Array.from({ length: count }, (_, i) => send({ path: `/warm/${i}` }));
  for (const seen of all) {
    await seen.closed;
    assert.equal(seen.error, undefined);
  }
  b.together = 1;
  // Not merely released: they are validated, and idle.
  await until(() => poolOf(agent).idle.size === agent.totalSocketCount);
}

const firstOf = ({ server }: Bench): Connection => server.all[0] ?? assert.fail('no connection');

/** How a connection is lost, with the request that was just sent on it. */
const LOSSES: Record<string, (connection: Connection) => void> = {
  'end of file': (connection) => connection.end(),
  reset: (connection) => connection.reset(),
};

const pathsOf = ({ received }: FickleServer, path: string): Received[] =>
  received.filter((one) => one.path === path);

/** The events that a caller sees once. */
const once = ({ events }: Seen): string[] => events.filter((event) => event !== 'socket');

for (const [loss, lose] of Object.entries(LOSSES)) {
  describe(`A connection that had served, lost by ${loss}`, () => {
    const dropping = (t: TestContext, options?: PoolingAgentOptions): Promise<Bench> =>
      bench(t, ({ connection }) => lose(connection), options);

    it('a GET is sent again: the caller sees one response', LIMIT, async (t) => {
      const b = await dropping(t);
      await warmUp(b);
      const seen = b.send({ path: '/a' });
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.deepEqual(seen.events, ['socket', 'finish', 'socket', 'response', 'close']);
      assert.equal(seen.req.reusedSocket, false);
      assert.equal(seen.rightSocket, true);
      assert.equal(pathsOf(b.server, '/a').length, 2);
      // The server is one that closes right after an answer, for all that is known: no connection is kept.
      await until(() => b.agent.totalSocketCount === 0);
    });

    for (const [how, headers] of [
      ['as a list', ['Host', 'localhost', 'X-A', 'é']],
      ['with Expect', { Expect: '100-continue' }],
      ['that were flushed', {}],
    ] as const) {
      for (const end of [true, false]) {
        it(
          `a GET with headers ${how} is sent again${end ? '' : ', though it is ended later'}`,
          LIMIT,
          async (t) => {
            const b = await dropping(t);
            await warmUp(b);
            const seen = b.send({ path: '/a', headers: headers as RequestOptions['headers'] }, null);
            if (how === 'that were flushed') seen.req.flushHeaders();
            if (!end) await new Promise((resolve) => seen.req.once('socket', resolve));
            seen.req.end();
            await seen.closed;
            assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
            assert.deepEqual(once(seen), ['finish', 'response', 'close']);
            assert.equal(pathsOf(b.server, '/a').length, 2);
          },
        );
      }

      it(`a GET with headers ${how} and a body is received once`, LIMIT, async (t) => {
        const b = await dropping(t);
        await warmUp(b);
        const given = Array.isArray(headers)
          ? [...(headers as string[]), 'Content-Length', '4']
          : { ...headers, 'Content-Length': '4' };
        const seen = b.send({ path: '/a', headers: given as RequestOptions['headers'] }, 'body');
        await seen.closed;
        assert.equal(seen.error?.code, 'ECONNRESET');
        assert.equal(pathsOf(b.server, '/a').length, 1);
      });
    }

    it('a GET is sent again where the loss could be known, but not to us yet', LIMIT, async (t) => {
      const b = await bench(t);
      await warmUp(b);
      lose(firstOf(b));
      // In the same turn of the loop.
      const seen = b.send({ path: '/a' });
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.deepEqual(once(seen), ['finish', 'response', 'close']);
    });

    for (const method of ['PUT', 'DELETE']) {
      it(
        `a ${method} fails, and is received once: the second one may be answered otherwise`,
        LIMIT,
        async (t) => {
          const b = await dropping(t);
          await warmUp(b);
          const seen = b.send({ method, path: '/a' });
          await seen.closed;
          assert.equal(seen.error?.code, 'ECONNRESET');
          assert.equal(pathsOf(b.server, '/a').length, 1);
        },
      );
    }

    const spoken: RequestOptions[] = [
      { method: 'PUT', headers: { 'If-None-Match': '*' } },
      { method: 'DELETE', headers: ['Host', 'localhost', 'if-match', '"1"'] },
      { headers: { 'x-http-method-override': 'POST' } },
      { method: 'POST', headers: { 'Idempotency-Key': '1', 'X-HTTP-Method': 'PUT' } },
    ];
    for (const options of spoken) {
      it(`${JSON.stringify(options)} fails, and is received once`, LIMIT, async (t) => {
        const b = await dropping(t, { replay: { methods: ['PUT', 'DELETE'] } });
        await warmUp(b);
        const seen = b.send({ ...options, path: '/a' });
        await seen.closed;
        assert.equal(seen.error?.code, 'ECONNRESET');
        assert.equal(pathsOf(b.server, '/a').length, 1);
      });
    }

    for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'DELETE', 'PUT']) {
      it(
        `a ${method} without a body is sent again, where the option names PUT and DELETE`,
        LIMIT,
        async (t) => {
          const b = await dropping(t, { replay: { methods: ['put', 'DELETE'] } });
          await warmUp(b);
          const seen = b.send({ method, path: '/a' });
          await seen.closed;
          assert.deepEqual([seen.error, seen.res?.statusCode], [undefined, 200]);
          assert.deepEqual(once(seen), ['finish', 'response', 'close']);
          assert.deepEqual(
            pathsOf(b.server, '/a').map((received) => received.method),
            [method, method],
          );
        },
      );
    }

    it('a POST goes on if not even its write was taken, and fails if it was', LIMIT, async (t) => {
      const b = await bench(t);
      await warmUp(b);
      lose(firstOf(b));
      const seen = b.send({ method: 'POST', path: '/a' }, Buffer.from('body'));
      await seen.closed;
      if (loss === 'reset') assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      else assert.equal(seen.error?.code, 'ECONNRESET');
      assert.deepEqual(
        pathsOf(b.server, '/a').map((received) => received.body),
        ['body'],
      );
    });

    for (const method of ['POST', 'PATCH']) {
      it(`a ${method} is received once, and fails`, LIMIT, async (t) => {
        const b = await dropping(t);
        await warmUp(b);
        const seen = b.send({ method, path: '/a' }, 'body');
        await seen.closed;
        assert.equal(seen.error?.code, 'ECONNRESET');
        assert.deepEqual(once(seen), ['finish', 'error', 'close']);
        assert.equal(pathsOf(b.server, '/a').length, 1);
      });
    }

    it('a POST with an Idempotency-Key is sent again, its body as it was', LIMIT, async (t) => {
      const b = await dropping(t);
      await warmUp(b);
      const body = Buffer.from('the body');
      const seen = b.send({ method: 'POST', path: '/a', headers: { 'Idempotency-Key': '1' } }, body);
      // Its owner may use it for something else, once it is written.
      seen.req.on('finish', () => body.fill('x'));
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.deepEqual(once(seen), ['finish', 'response', 'close']);
      assert.deepEqual(
        pathsOf(b.server, '/a').map((received) => received.body),
        ['the body', 'the body'],
      );
    });

    it('a PUT whose body was given at once, in chunks, is sent again', LIMIT, async (t) => {
      const b = await dropping(t, { replay: { methods: ['PUT'] } });
      await warmUp(b);
      const seen = b.send({ method: 'PUT', path: '/a' }, null);
      seen.req.write('one');
      seen.req.write(Buffer.from('two'));
      seen.req.end('three');
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.deepEqual(once(seen), ['finish', 'response', 'close']);
      const bodies = pathsOf(b.server, '/a').map((received) => received.body);
      assert.deepEqual(bodies, [bodies[0], bodies[0]]);
      assert.equal(bodies[0]?.replaceAll(/\r\n|\b\d\b/g, ''), 'onetwothree');
    });

    it('a PUT whose body came later fails, and is received once', LIMIT, async (t) => {
      const b = await dropping(t, { replay: { methods: ['PUT'] } });
      await warmUp(b);
      const seen = b.send({ method: 'PUT', path: '/a' }, null);
      seen.req.write('one');
      seen.req.once('socket', () => setImmediate(() => seen.req.end('two')));
      await seen.closed;
      assert.equal(seen.error?.code, 'ECONNRESET');
      assert.equal(pathsOf(b.server, '/a').length, 1);
    });

    it('a PUT with more of a body than is held fails, and is received once', LIMIT, async (t) => {
      const b = await dropping(t, { replay: { methods: ['PUT'] } });
      await warmUp(b);
      const seen = b.send({ method: 'PUT', path: '/a' }, 'x'.repeat(70_000));
      await seen.closed;
      assert.ok(seen.error);
      assert.equal(pathsOf(b.server, '/a').length, 1);
    });

    it('a GET with a body fails, and is received once', LIMIT, async (t) => {
      const b = await dropping(t);
      await warmUp(b);
      const seen = b.send({ path: '/a', headers: { 'Content-Length': 4 } }, 'body');
      await seen.closed;
      assert.equal(seen.error?.code, 'ECONNRESET');
      assert.equal(pathsOf(b.server, '/a').length, 1);
    });

    it('a POST that has written nothing yet gets another connection', LIMIT, async (t) => {
      const b = await bench(t);
      await warmUp(b);
      const seen = b.send({ method: 'POST', path: '/a' }, null);
      await new Promise((resolve) => seen.req.once('socket', resolve));
      const { socket } = seen.req;
      lose(firstOf(b));
      await until(() => seen.req.socket && seen.req.socket !== socket);
      seen.req.end('body');
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.deepEqual(once(seen), ['finish', 'response', 'close']);
      assert.deepEqual(
        pathsOf(b.server, '/a').map((received) => received.body),
        ['body'],
      );
    });

    it('a POST that waits in a corked socket gets another connection', LIMIT, async (t) => {
      const b = await bench(t);
      await warmUp(b);
      const seen = b.send({ method: 'POST', path: '/a' }, 'body');
      seen.req.once('socket', (socket) => {
        socket.cork();
        lose(firstOf(b));
      });
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.deepEqual(once(seen), ['finish', 'response', 'close']);
      assert.equal(pathsOf(b.server, '/a').length, 1);
    });

    it('never after a byte of the response', LIMIT, async (t) => {
      const b = await bench(t, ({ connection }) => {
        connection.tls.write('HTTP/1.1 2', () => lose(connection));
      });
      await warmUp(b);
      const seen = b.send({ path: '/a' });
      await seen.closed;
      assert.ok(seen.error);
      assert.deepEqual(once(seen), ['finish', 'error', 'close']);
      assert.equal(pathsOf(b.server, '/a').length, 1);
    });

    it('never after 100 Continue', LIMIT, async (t) => {
      const b = await bench(t, () => {});
      await warmUp(b);
      const connection = firstOf(b);
      connection.tls.on('data', () => connection.tls.write('HTTP/1.1 100 Continue\r\n\r\n'));
      const headers = { Expect: '100-continue', 'Content-Length': 4 };
      const seen = b.send({ method: 'PUT', path: '/a', headers }, null);
      await new Promise((resolve) => seen.req.once('continue', resolve));
      lose(connection);
      await seen.closed;
      assert.equal(seen.error?.code, 'ECONNRESET');
      assert.equal(b.server.connections(), 1);
    });

    it('never on a connection that had served nobody', LIMIT, async (t) => {
      const server = await fickleServer(t, ({ connection }) => lose(connection));
      const agent = poolingAgent(t, { ca: server.ca });
      const seen = sendTo(server.port, agent, { path: '/a' });
      await seen.closed;
      assert.equal(seen.error?.code, 'ECONNRESET');
      assert.equal(server.received.length, 1);
    });

    for (const replay of [false, { max: 0 }]) {
      it(`never with replay: ${JSON.stringify(replay)}`, LIMIT, async (t) => {
        const b = await dropping(t, { replay });
        await warmUp(b);
        const seen = b.send({ path: '/a' });
        await seen.closed;
        assert.equal(seen.error?.code, 'ECONNRESET');
        assert.equal(pathsOf(b.server, '/a').length, 1);
      });
    }

    for (const [max, times] of [
      [1, 2],
      [2, 3],
      [3, 3],
    ] as const) {
      it(`no more than ${max} times, the last time on a new connection`, LIMIT, async (t) => {
        const server = await fickleServer(t, (received) => {
          if (received.path === '/a') lose(received.connection);
          else received.connection.answer(received);
        });
        const agent = poolingAgent(t, { ca: server.ca, replay: { max } });
        const b: Bench = {
          server,
          agent,
          send: (...args) => sendTo(server.port, agent, ...args),
          together: 1,
        };
        await warmUp(b, 6);
        const seen = b.send({ path: '/a' });
        await seen.closed;
        assert.equal(seen.error?.code, 'ECONNRESET');
        assert.deepEqual(once(seen), ['finish', 'error', 'close']);
        const received = pathsOf(server, '/a');
        assert.equal(received.length, times);
        assert.deepEqual(
          received.map(({ place }) => place > 0),
          [...Array.from({ length: times - 1 }, () => true), false],
        );
      });
    }

    it('after two dead connections it trusts no third', LIMIT, async (t) => {
      const b = await dropping(t);
      await warmUp(b, 5);
      const connections = b.server.connections();
      const seen = b.send({ path: '/a' });
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.equal(pathsOf(b.server, '/a').length, 3);
      assert.equal(b.server.connections(), connections + 1);
      assert.deepEqual(once(seen), ['finish', 'response', 'close']);
    });

    it('all connections lost at once: nobody hears of it', LIMIT, async (t) => {
      const b = await bench(t);
      await warmUp(b, 8);
      for (const connection of b.server.all) lose(connection);
      const all = Array.from({ length: 20 }, (_, i) => b.send({ path: `/${i}` }));
      for (const [i, seen] of all.entries()) {
        await seen.closed;
        assert.deepEqual([seen.error, seen.body], [undefined, `/${i}`]);
        assert.deepEqual(once(seen), ['finish', 'response', 'close']);
      }
    });

    it('the limit holds, and those who wait come after it', LIMIT, async (t) => {
      const b = await dropping(t, { maxSockets: 1 });
      await warmUp(b);
      const first = b.send({ path: '/first' });
      const second = b.send({ path: '/second' });
      await first.closed;
      await second.closed;
      assert.deepEqual([first.body, second.body], ['/first', '/second']);
      assert.deepEqual(b.server.received.map(({ path }) => path).slice(1, 4), [
        '/first',
        '/first',
        '/second',
      ]);
    });

    it("the async context is the caller's", LIMIT, async (t) => {
      const storage = new AsyncLocalStorage<string>();
      const b = await dropping(t);
      await storage.run('first', () => warmUp(b));
      const stores: (string | undefined)[] = [];
      const seen = storage.run('second', () => {
        const sent = b.send({ path: '/a' });
        for (const event of ['socket', 'response', 'close'])
          sent.req.on(event, () => stores.push(storage.getStore()));
        sent.req.on('response', (res: IncomingMessage) =>
          res.on('end', () => stores.push(storage.getStore())),
        );
        return sent;
      });
      await storage.run('third', () => seen.closed);
      assert.equal(seen.body, '/a');
      assert.deepEqual(stores, ['second', 'second', 'second', 'second', 'second']);
    });

    it('the news of a request starting comes once, and none of an error', LIMIT, async (t) => {
      const b = await dropping(t);
      await warmUp(b);
      const news: string[] = [];
      const subscribe = (name: string): void => {
        const listener = (): void => void news.push(name);
        diagnostics.subscribe(name, listener);
        t.after(() => diagnostics.unsubscribe(name, listener));
      };
      subscribe('http.client.request.start');
      subscribe('http.client.request.error');
      subscribe('http.client.response.finish');
      const seen = b.send({ path: '/a' });
      await seen.closed;
      assert.equal(seen.body, '/a');
      assert.deepEqual(news, ['http.client.request.start', 'http.client.response.finish']);
    });

    it('a timeout goes with the request', LIMIT, async (t) => {
      const set: Record<string, (seen: Seen) => void> = {
        option: () => {},
        'before it has a socket': ({ req }) => void req.setTimeout(100),
        'when it has a socket': ({ req }) => void req.once('socket', () => req.setTimeout(100)),
      };
      for (const [how, setTimeout] of Object.entries(set)) {
        const server = await fickleServer(t, (req) => {
          if (req.path !== '/a') req.connection.answer(req);
          else if (req.place > 0) lose(req.connection);
        });
        const agent = poolingAgent(t, { ca: server.ca });
        await sendTo(server.port, agent).closed;
        const seen = sendTo(server.port, agent, { path: '/a', ...(how === 'option' && { timeout: 100 }) });
        setTimeout(seen);
        await new Promise((resolve) => seen.req.once('timeout', resolve));
        assert.equal(pathsOf(server, '/a').length, 2, how);
        seen.req.destroy();
        await seen.closed;
        assert.deepEqual(once(seen), ['finish', 'timeout', 'error', 'close'], how);
      }
    });

    for (const [means, end] of [
      ['destroy()', (seen: Seen) => seen.req.destroy()],
      ['abort()', (seen: Seen) => seen.req.abort()],
      ['a signal', (_: Seen, controller: AbortController) => controller.abort()],
    ] as const) {
      it(`ended by ${means} while it waits for another connection`, LIMIT, async (t) => {
        const b = await dropping(t);
        await warmUp(b);
        let dials = 0;
        Reflect.set(b.agent, 'createConnection', () => void dials++);
        const controller = new AbortController();
        const seen = b.send({ path: '/a', signal: controller.signal });
        await until(() => dials === 1);
        end(seen, controller);
        await seen.closed;
        // As in Node: who aborts hears of no error while there is no socket.
        const ending = means === 'abort()' ? ['abort', 'close'] : ['error', 'close'];
        assert.deepEqual(once(seen), ['finish', ...ending]);
        assert.equal(pathsOf(b.server, '/a').length, 1);
      });
    }
  });
}

describe('What is not a loss', () => {
  it('destroy() of a request in flight', LIMIT, async (t) => {
    const b = await bench(t, ({ connection }) => {
      connection.tls.on('close', () => {});
      seen.req.destroy();
    });
    await warmUp(b);
    const seen: Seen = b.send({ path: '/a' });
    await seen.closed;
    assert.equal(seen.error?.code, 'ECONNRESET');
    assert.equal(pathsOf(b.server, '/a').length, 1);
  });

  it('agent.destroy()', LIMIT, async (t) => {
    const b = await bench(t, () => b.agent.destroy());
    await warmUp(b);
    const seen = b.send({ path: '/a' });
    await seen.closed;
    assert.equal(seen.error?.code, 'ECONNRESET');
    assert.equal(pathsOf(b.server, '/a').length, 1);
  });

  it('an error that somebody destroys the socket with', LIMIT, async (t) => {
    const error = Object.assign(new Error('made up'), { code: 'ECONNRESET' });
    const b = await bench(t, () => seen.req.socket?.destroy(error));
    await warmUp(b);
    const seen: Seen = b.send({ path: '/a' });
    await seen.closed;
    assert.equal(seen.error, error);
    assert.equal(pathsOf(b.server, '/a').length, 1);
  });
});

describe('Bytes that come while a corked socket holds a request back', () => {
  for (const method of ['GET', 'POST']) {
    it(`answer no ${method}`, LIMIT, async (t) => {
      const b = await bench(t);
      await warmUp(b);
      const seen = b.send({ method, path: '/a' }, method === 'POST' ? 'body' : '');
      seen.req.once('socket', (socket) => {
        socket.cork();
        firstOf(b).tls.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray');
      });
      await seen.closed;
      assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
      assert.equal(pathsOf(b.server, '/a').length, 1);
      assert.equal(b.server.connections(), 2);
    });
  }

  it('are an answer once a listener has uncorked it', LIMIT, async (t) => {
    const b = await bench(t);
    await warmUp(b);
    const seen = b.send({ method: 'POST', path: '/a' }, 'body');
    seen.req.once('socket', (socket) => {
      socket.cork();
      setImmediate(() => {
        socket.uncork();
        block(20);
      });
    });
    await seen.closed;
    assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
    assert.equal(b.server.connections(), 1);
  });
});

describe('Lost between the hand-over and its use', () => {
  const reset = Object.assign(new Error('read ECONNRESET'), {
    code: 'ECONNRESET',
    errno: -104,
    syscall: 'read',
  });

  it('by an error: nothing was written, so a POST goes on', LIMIT, async (t) => {
    const b = await bench(t);
    await warmUp(b);
    const [socket] = Object.values(b.agent.freeSockets).flat();
    const seen = b.send({ method: 'POST', path: '/a' }, 'body');
    socket?.destroy(reset);
    await seen.closed;
    assert.deepEqual([seen.error, seen.body], [undefined, '/a']);
    assert.deepEqual(once(seen), ['finish', 'response', 'close']);
    assert.equal(pathsOf(b.server, '/a').length, 1);
  });

  it('by an end of file', LIMIT, async (t) => {
    const b = await bench(t);
    await warmUp(b);
    const [socket] = Object.values(b.agent.freeSockets).flat();
    assert.ok(socket);
    let seen: Seen | undefined;
    const { read } = socket;
    socket.read = function (size) {
      const result: unknown = read.call(this, size);
      // The end has been read, and 'end' comes with the next tick.
      seen ??= b.send({ method: 'POST', path: '/a' }, 'body');
      return result;
    };
    b.server.all[0]?.end();
    await until(() => seen);
    await seen?.closed;
    assert.deepEqual([seen?.error, seen?.body], [undefined, '/a']);
    assert.deepEqual(seen && once(seen), ['finish', 'response', 'close']);
    assert.equal(pathsOf(b.server, '/a').length, 1);
  });

  it('and it was destroyed meanwhile', LIMIT, async (t) => {
    const b = await bench(t);
    await warmUp(b);
    const [socket] = Object.values(b.agent.freeSockets).flat();
    const seen = b.send({ path: '/a' });
    socket?.destroy(reset);
    seen.req.destroy();
    await seen.closed;
    assert.deepEqual(once(seen), ['error', 'close']);
    assert.equal(pathsOf(b.server, '/a').length, 0);
  });
});

describe('Where Node does not look as expected', () => {
  it('an error is an error', LIMIT, async (t) => {
    const b = await bench(t, ({ connection }) => connection.end());
    await warmUp(b);
    const seen = b.send({ path: '/a' });
    seen.req.on('socket', (socket) => {
      for (const listener of socket.listeners('end') as (() => void)[]) {
        if (listener.name !== 'socketOnEnd') continue;
        socket.off('end', listener);
        socket.on('end', function renamed(this: unknown) {
          listener.call(this);
        });
      }
    });
    await seen.closed;
    assert.equal(seen.error?.code, 'ECONNRESET');
    assert.deepEqual(once(seen), ['finish', 'error', 'close']);
    assert.equal(pathsOf(b.server, '/a').length, 1);
  });
});
