/** Servers that end a handshake in which a session is offered: the dial is made once more, without one. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { PoolingAgent, SessionCache } from '../../src/index.js';
import type { ChannelMessages, PoolingAgentOptions } from '../../src/index.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { front, VERSIONS, WAYS } from './front.js';
import type { Front } from './front.js';

const LIMIT = { timeout: 120_000 };
const BINDINGS = ['eager', 'late'] as const;
/** An agent that has a session for the server behind `at`. */
async function agentFor(
  t: TestContext,
  at: Front,
  options: PoolingAgentOptions = {},
): Promise<{ agent: PoolingAgent; cache: SessionCache }> {
  const cache = new SessionCache();
  const agent = poolingAgent(t, { ca: at.ca, sessionCache: cache, ...options });
  await get(at, { agent });
  await until(() => cache.size === 1 && agent.totalSocketCount === 0);
  return { agent, cache };
}

interface Seen {
  readonly req: ClientRequest;
  readonly events: string[];
  readonly errors: NodeJS.ErrnoException[];
  readonly closed: Promise<void>;
}

function begin(at: Front, agent: PoolingAgent, options: RequestOptions): Seen {
  const req = request({ host: 'localhost', port: at.port, agent, ...options });
  const events: string[] = [];
  const errors: Error[] = [];
  for (const event of ['socket', 'prefinish', 'finish', 'response', 'continue', 'abort', 'close'])
    req.on(event, () => events.push(event));
  req.on('error', (error) => {
    events.push('error');
    errors.push(error);
  });
  req.on('response', (res) => void res.resume());
  return { req, events, errors, closed: new Promise((resolve) => req.on('close', resolve)) };
}

const once = (seen: Seen): string[] => seen.events.filter((event) => event !== 'socket');

for (const maxVersion of VERSIONS) {
  for (const way of Object.keys(WAYS)) {
    for (const binding of BINDINGS) {
      test(`${maxVersion}, ${way}, ${binding}: none of some requests in turn fails`, LIMIT, async (t) => {
        const at = await front(t, { maxVersion, way });
        const { agent, cache } = await agentFor(t, at, { binding });
        for (let i = 0; i < 4; i++) assert.equal((await get(at, { agent, path: `/${i}` })).body, `/${i}`);
        assert.ok(at.killed() >= 3, `${at.killed()}`);
        assert.ok(cache.stats.failed >= at.killed());
        assert.equal(at.bodies.length, 5);
        assert.equal(agent.stats().failed.secureConnect, at.killed());
      });
    }
  }
}

for (const binding of BINDINGS) {
  test(`${binding}: each dial is published as opened once, and as closed once`, LIMIT, async (t) => {
    const at = await front(t);
    const name = `published ${binding}`;
    const told: string[] = [];
    const hear = (channel: keyof ChannelMessages, word: (message: never) => string): void => {
      const listener = (message: unknown): void => {
        if ((message as { agent: unknown }).agent === name) told.push(word(message as never));
      };
      subscribe(channel, listener);
      t.after(() => unsubscribe(channel, listener));
    };
    hear('pooling-https-agent:connection:open', () => 'open');
    hear('pooling-https-agent:connection:close', ({ reason, phase }: Record<string, unknown>) =>
      reason === 'connect-failed' ? `failed: ${String(phase)}` : 'closed',
    );
    const { agent } = await agentFor(t, at, { binding, name });
    await get(at, { agent });
    await until(() => agent.totalSocketCount === 0);
    const { opened, failed } = agent.stats();
    assert.deepEqual([opened, failed.secureConnect], [3, 1]);
    await until(() => told.length === 6);
    assert.deepEqual(told, ['open', 'closed', 'open', 'failed: secureConnect', 'open', 'closed']);
  });

  for (const [count, maxSockets] of [
    [12, 1],
    [12, Infinity],
    [50, 10],
  ] as const) {
    test(
      `${binding}: ${count} at once, ${maxSockets} connections: none fails, the limit holds`,
      LIMIT,
      async (t) => {
        const at = await front(t, { way: 'reset' });
        const { agent } = await agentFor(t, at, {
          binding,
          maxSockets,
          maxTotalSockets: maxSockets,
          replay: false,
        });
        const paths = Array.from({ length: count }, (_, i) => `/${i}`);
        const answers = await Promise.all(paths.map((path) => get(at, { agent, path })));
        assert.deepEqual(
          answers.map(({ body }) => body),
          paths,
        );
        assert.ok(at.killed() > 0);
        assert.ok(at.peak() <= maxSockets, `${at.peak()}`);
        await until(() => agent.totalSocketCount === 0);
      },
    );
  }

  for (const size of [0, 10, 64 * 1024]) {
    test(
      `${binding}: a POST of ${size} bytes given at once arrives once, whatever replay says`,
      LIMIT,
      async (t) => {
        const at = await front(t);
        const { agent } = await agentFor(t, at, { binding, replay: false });
        const body = 'é'.repeat(size);
        const seen = begin(at, agent, { method: 'POST' });
        let ended = 0;
        seen.req.end(Buffer.from(body, 'latin1'), () => ended++);
        await seen.closed;
        assert.deepEqual(seen.errors, []);
        assert.equal(at.bodies.length, 2);
        assert.equal(at.bodies[1], body);
        assert.equal(ended, 1);
        assert.deepEqual(once(seen), ['prefinish', 'finish', 'response', 'close']);
        assert.equal(seen.events.filter((event) => event === 'socket').length, binding === 'eager' ? 2 : 1);
        assert.equal(at.killed(), 1);
      },
    );
  }

  test(`${binding}: a POST that is written piece by piece arrives once`, LIMIT, async (t) => {
    const at = await front(t);
    const { agent } = await agentFor(t, at, { binding, replay: false });
    const seen = begin(at, agent, { method: 'POST' });
    const heard: number[] = [];
    seen.req.write('one', () => heard.push(1));
    await new Promise((resolve) => seen.req.once('socket', resolve));
    seen.req.write(Buffer.from('two'), () => heard.push(2));
    setImmediate(() => {
      seen.req.write('dGhyZWU=', 'base64', () => heard.push(3));
      setTimeout(() => seen.req.end('four'), 20);
    });
    await seen.closed;
    assert.deepEqual(seen.errors, []);
    assert.deepEqual(at.bodies.slice(1), ['onetwothreefour']);
    assert.deepEqual(heard, [1, 2, 3]);
    assert.deepEqual(once(seen), ['prefinish', 'finish', 'response', 'close']);
  });

  test(`${binding}: an upload from a stream arrives whole`, LIMIT, async (t) => {
    const at = await front(t);
    const { agent } = await agentFor(t, at, { binding });
    const pieces = Array.from({ length: 64 }, (_, i) => String.fromCharCode(65 + (i % 26)).repeat(16 * 1024));
    const seen = begin(at, agent, { method: 'POST' });
    await pipeline(Readable.from(pieces.map((piece) => Buffer.from(piece))), seen.req);
    await seen.closed;
    assert.deepEqual(seen.errors, []);
    assert.ok(at.bodies[1] === pieces.join(''));
    assert.equal(at.killed(), 1);
  });

  test(`${binding}: Expect: 100-continue`, LIMIT, async (t) => {
    const at = await front(t);
    const { agent } = await agentFor(t, at, { binding });
    const seen = begin(at, agent, { method: 'POST', headers: { Expect: '100-continue' } });
    seen.req.flushHeaders();
    seen.req.on('continue', () => seen.req.end('body'));
    await seen.closed;
    assert.deepEqual(seen.errors, []);
    assert.deepEqual(at.bodies.slice(1), ['body']);
    assert.deepEqual(once(seen), ['continue', 'prefinish', 'finish', 'response', 'close']);
  });

  test(`${binding}: a request that has written nothing yet`, LIMIT, async (t) => {
    const at = await front(t);
    const { agent } = await agentFor(t, at, { binding });
    const seen = begin(at, agent, { method: 'POST' });
    await until(() => at.killed() === 1 && at.accepted() === 3);
    seen.req.end('late');
    await seen.closed;
    assert.deepEqual(seen.errors, []);
    assert.deepEqual(at.bodies.slice(1), ['late']);
  });

  test(
    `${binding}: it is tried once more, and not again; the error is that of the second`,
    LIMIT,
    async (t) => {
      const at = await front(t, { way: 'alert' });
      const { agent, cache } = await agentFor(t, at, { binding });
      at.isMad = true;
      const before = at.accepted();
      await assert.rejects(get(at, { agent }), { code: /^ERR_SSL_|^EPROTO$/ });
      assert.equal(at.accepted() - before, 2);
      assert.equal(cache.size, 0);
      await until(() => agent.totalSocketCount === 0);
    },
  );

  for (const what of ['the request', 'the agent']) {
    test(`${binding}: ${what} is destroyed in the middle`, LIMIT, async (t) => {
      const at = await front(t);
      const { agent } = await agentFor(t, at, { binding });
      const { kill } = at;
      const seen = begin(at, agent, {});
      const destroy = (): void => void (what === 'the agent' ? agent.destroy() : seen.req.destroy());
      at.kill = (socket) => {
        kill(socket);
        // On the client's side: before the second dial.
        for (const own of Object.values(agent.sockets).flat()) own?.prependListener('close', destroy);
        if (binding === 'late') socket.once('close', destroy);
      };
      seen.req.end();
      await seen.closed;
      const ends = once(seen).filter((event) => event !== 'prefinish' && event !== 'finish');
      if (ends.includes('response')) assert.equal(binding, 'late');
      else assert.deepEqual(ends, ['error', 'close']);
      await until(() => agent.totalSocketCount === 0 && waitingCount(agent) === 0);
    });
  }

  test(`${binding}: TLS options that change in between hold for the second`, LIMIT, async (t) => {
    const at = await front(t);
    const { agent } = await agentFor(t, at, { binding });
    const { kill } = at;
    at.kill = (socket) => {
      agent.updateTls({ maxVersion: 'TLSv1.2' });
      kill(socket);
    };
    const { req } = await get(at, { agent, path: '/a' });
    assert.equal(
      (req.socket as unknown as { getProtocol(): string }).getProtocol?.() ?? 'TLSv1.2',
      'TLSv1.2',
    );
    await until(() => agent.totalSocketCount === 0);
  });

  test(`${binding}: both have the time of one`, LIMIT, async (t) => {
    const at = await front(t);
    const { agent } = await agentFor(t, at, { binding, connectTimeout: 1000 });
    const { kill } = at;
    at.isMad = true;
    // Since the first has ended: a busy machine takes longer for each, and for each part of the deadline.
    let tenths = 0;
    let timer: NodeJS.Timeout | undefined;
    const count = (): void => {
      timer = setTimeout(() => {
        tenths++;
        count();
      }, 100);
    };
    t.after(() => clearTimeout(timer));
    let isFirst = true;
    at.kill = (socket) => {
      // The second one gets no answer.
      if (!isFirst) return;
      isFirst = false;
      setTimeout(() => {
        count();
        kill(socket);
      }, 700);
    };
    await assert.rejects(get(at, { agent }), { code: 'ETIMEDOUT', phase: 'secureConnect' });
    assert.ok(tenths < 9, `${tenths} tenths of a second: not one of its own`);
  });
}

const KIB_64 = 64 * 1024;

/** Ways to write a body of `size` bytes. */
const WRITINGS: Record<string, (req: ClientRequest, size: number) => void> = {
  'at once': (req, size) => void req.end('x'.repeat(size)),
  'in chunks of 16 bytes': (req, size) => {
    for (let at = 0; at < size; at += 16) req.write('x'.repeat(Math.min(16, size - at)));
    req.end();
  },
  'in one chunk, with trailers': (req, size) => {
    req.setHeader('trailer', 'x-sum');
    req.write(Buffer.alloc(size, 'x'));
    req.addTrailers({ 'x-sum': '1'.repeat(2000) });
    req.end();
  },
};

for (const [how, write] of Object.entries(WRITINGS)) {
  test(
    `eager: 64 KiB of a body, written ${how}, are sent again; of one byte more the first error stands`,
    LIMIT,
    async (t) => {
      const at = await front(t, { way: 'reset' });
      const sizes = how === 'at once' ? [KIB_64, KIB_64 + 1, 10 * KIB_64] : [KIB_64, KIB_64 + 1];
      for (const size of sizes) {
        const { agent } = await agentFor(t, at);
        at.bodies.length = 0;
        const seen = begin(at, agent, { method: 'POST' });
        write(seen.req, size);
        await seen.closed;
        if (size > KIB_64) {
          assert.equal(seen.errors[0]?.code, 'ECONNRESET');
          assert.deepEqual(
            once(seen).filter((event) => !event.endsWith('finish')),
            ['error', 'close'],
          );
          assert.equal(at.bodies.length, 0);
        } else {
          assert.deepEqual(seen.errors, []);
          assert.deepEqual(at.bodies, ['x'.repeat(size)]);
        }
      }
      assert.equal(at.killed(), sizes.length);
    },
  );
}

for (const binding of BINDINGS) {
  test(
    `${binding}: the second offers none, also where a store of one's own still has one`,
    LIMIT,
    async (t) => {
      const at = await front(t, { way: 'reset' });
      const stored: Buffer[] = [];
      const evictions: string[] = [];
      class Persistent extends PoolingAgent {
        override _getSession(): Buffer | undefined {
          return stored[0];
        }
        override _cacheSession(_key: string, session: Buffer): void {
          stored.push(session);
        }
        override _evictSession(key: string): void {
          evictions.push(key);
          throw new Error('Not evicted');
        }
      }
      const thrown: string[] = [];
      process.setUncaughtExceptionCaptureCallback((error) => void thrown.push(error.message));
      t.after(() => process.setUncaughtExceptionCaptureCallback(null));
      const agent = new Persistent({ ca: at.ca, binding });
      t.after(() => agent.destroy());
      await get(at, { agent });
      await until(() => stored.length > 0 && agent.totalSocketCount === 0);
      assert.equal((await get(at, { agent, path: '/a' })).body, '/a');
      assert.equal(at.killed(), 1);
      assert.equal(evictions.length, 1);
      assert.deepEqual(thrown, ['Not evicted']);
      await until(() => agent.totalSocketCount === 0);
    },
  );
}

test('a slot is not lost to others that wait for one', LIMIT, async (t) => {
  const at = await front(t, { way: 'reset' });
  const { agent } = await agentFor(t, at, { maxTotalSockets: 1 });
  const other = await httpsServer(t, undefined, {});
  const order: string[] = [];
  const first = get(at, { agent }).then(() => order.push('first'));
  const second = get(other, { agent }).then(() => order.push('second'));
  await Promise.all([first, second]);
  assert.deepEqual(order, ['first', 'second']);
});

const NOT_OURS: Record<string, (agent: PoolingAgent) => RequestOptions> = {
  "a session of the request's own": () => ({}),
  'a createConnection of others': (agent) => {
    const { createConnection } = agent;
    agent.createConnection = function others(...args) {
      return createConnection.apply(this, args);
    };
    return {};
  },
};

for (const [title, prepare] of Object.entries(NOT_OURS)) {
  test(`not tried again: ${title}`, LIMIT, async (t) => {
    const at = await front(t, { way: 'reset' });
    const { agent, cache } = await agentFor(t, at);
    const [id = ''] = cache.ids;
    const own = title.startsWith('a session') && { session: cache.peek(id) };
    const before = at.accepted();
    await assert.rejects(get(at, { agent, ...prepare(agent), ...own } as RequestOptions), {
      code: 'ECONNRESET',
    });
    assert.equal(at.accepted() - before, 1);
  });
}

test('not tried again: an alert about our certificate', LIMIT, async (t) => {
  const at = await front(t);
  const { agent } = await agentFor(t, at);
  // bad_certificate
  at.kill = (socket) => void socket.end(Buffer.from([0x15, 3, 3, 0, 2, 2, 42]));
  const before = at.accepted();
  await assert.rejects(get(at, { agent }), { code: /CERTIFICATE|EPROTO/ });
  assert.equal(at.accepted() - before, 1);
});

test("not tried again: a caller's createSocket", LIMIT, async (t) => {
  const at = await front(t, { way: 'reset' });
  const { agent } = await agentFor(t, at);
  const { req } = await get({ port: at.server.port, ca: at.ca }, {});
  const socket = await new Promise<Socket>((resolve, reject) => {
    agent.createSocket(req as never, { host: 'localhost', port: at.port }, (error, opened) =>
      error ? reject(error) : resolve(opened as Socket),
    );
  });
  const before = at.accepted();
  await new Promise((resolve) => socket.on('error', resolve));
  assert.ok(at.accepted() - before <= 1);
  assert.equal(at.killed(), 1);
});

test('an upload that was aborted is not sent again', LIMIT, async (t) => {
  const at = await front(t);
  const { agent } = await agentFor(t, at);
  const { kill } = at;
  const seen = begin(at, agent, { method: 'POST' });
  seen.req.write('some');
  at.kill = (socket) => {
    seen.req.destroy(new Error('Mine'));
    kill(socket);
  };
  await seen.closed;
  assert.deepEqual(
    seen.errors.map(({ message }) => message),
    ['Mine'],
  );
  await until(() => agent.totalSocketCount === 0);
  assert.equal(at.accepted(), 2);
});

test('what a request writes is noted only until the handshake is over', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, keepAlive: false });
  await get(server, { agent });
  await until(() => agent.totalSocketCount === 0);
  const req = request({ host: 'localhost', port: server.port, agent, method: 'POST' });
  const writesOf = (): unknown => Reflect.get(req, '_writeRaw');
  const nodes = writesOf();
  req.write('some');
  await new Promise((resolve) => req.once('socket', resolve));
  assert.notEqual(writesOf(), nodes);
  const response = await new Promise<IncomingMessage>((resolve) => req.end().once('response', resolve));
  assert.equal((response.socket as TLSSocket).isSessionReused(), true);
  assert.equal(writesOf(), nodes);
  response.resume();
});
