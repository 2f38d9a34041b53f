/**
 * Below a faked `process.nextTick` Node's own client stops, with any agent: sockets do not reach their requests, responses do not end. When the real one is
 * back, new requests are answered all the same: no exchange that stands still keeps its slot under the limits for good.
 */
import assert from 'node:assert/strict';
import { install } from '@sinonjs/fake-timers';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { PoolingAgentOptions } from '../../src/index.js';
import { activeCount, idleCount, poolingAgent } from '../support/agent.js';
import { lookAllTheTime } from '../support/look.js';
import { request } from '../support/protocol.js';
import { threadedServer } from '../support/threaded-server.js';
import { until } from '../support/until.js';
import { LIMIT } from './support.js';

const KINDS: readonly PoolingAgentOptions[] = [
  { maxSockets: 1 },
  { maxSockets: 1, binding: 'late' },
  { maxTotalSockets: 1 },
];

/** Milliseconds: more than a handshake takes on a busy machine. */
const CONNECT_TIMEOUT = 2000;

async function withFakeTicks(body: () => unknown): Promise<void> {
  const clock = install({ toFake: ['nextTick', 'queueMicrotask', 'setTimeout', 'setImmediate'] });
  try {
    await body();
  } finally {
    clock.uninstall();
  }
}

/** Agents of all kinds, and what sends a request over one of them. */
async function agents(t: TestContext): Promise<((path?: string, method?: string) => ClientRequest)[]> {
  const { url, ca } = await threadedServer(t);
  return KINDS.map((options) => {
    const agent = poolingAgent(t, { ca, connectTimeout: CONNECT_TIMEOUT, ...options });
    return (path = '/', method = 'GET') => {
      const req = request(new URL(path, url), { agent, method });
      req.on('error', () => {});
      req.end(method === 'POST' ? 'text' : undefined);
      return req;
    };
  });
}

/** Resolves when `req` has been answered, to the end. */
async function answerTo(req: ClientRequest): Promise<void> {
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  await once(res.resume(), 'end');
}

/** More than one: the first may be served by a connection that is opened in the place of a lost one. */
async function serves(send: (path?: string, method?: string) => ClientRequest): Promise<void> {
  await Promise.all([answerTo(send()), answerTo(send('/', 'POST')), answerTo(send())]);
}

test('requests that began meanwhile are not in the way of others, and end', LIMIT, async (t) => {
  const fresh = await agents(t);
  const warm = await agents(t);
  await Promise.all(warm.map((send) => answerTo(send())));
  const sends = [...fresh, ...warm];
  const ended: Promise<void>[] = [];
  await withFakeTicks(async () => {
    for (const send of sends) {
      for (const req of [send(), send('/', 'POST')]) {
        ended.push(new Promise((resolve) => void req.on('close', resolve)));
      }
    }
    await wait(30);
  });
  await Promise.all(sends.map((send) => serves(send)));
  // With an answer, or with an error.
  await Promise.all(ended);
});

test('responses that came meanwhile are not in the way of others', LIMIT, async (t) => {
  const exchanges: { readonly path: string; readonly listen: (res: IncomingMessage) => unknown }[] = [
    { path: '/?after=50', listen: (res) => res.resume() },
    { path: '/?after=50', listen: (res) => res.on('data', () => {}) },
    { path: '/?after=50&spaces=300000', listen: (res) => res.resume() },
    { path: '/?after=50&spaces=300000', listen: (res) => res.on('data', () => {}) },
  ];
  const all = await Promise.all(
    exchanges.map(async (exchange) => (await agents(t)).map((send) => ({ ...exchange, send }))),
  );
  const sends = all.flat();
  await Promise.all(sends.map(({ send }) => answerTo(send())));
  // On a busy machine a response may come before the others are sent, and ticks are faked.
  const before: number[] = [];
  const reqs = sends.map(({ send, path, listen }, i) =>
    send(path)
      .on('response', listen)
      .on('socket', ({ bytesRead }) => (before[i] = bytesRead)),
  );
  await Promise.all(reqs.map((req) => once(req, 'finish')));
  await withFakeTicks(async () => {
    await until(() => reqs.every((req, i) => req.closed || (req.socket?.bytesRead ?? 0) > (before[i] ?? 0)));
    await wait(10);
  });
  await Promise.all(sends.map(({ send }) => serves(send)));
});

test('connections that were to be given back meanwhile are not in the way of others', LIMIT, async (t) => {
  const sends = await agents(t);
  for (const send of sends) {
    const [res] = (await once(send(), 'response')) as [IncomingMessage];
    const ended = new Promise<void>((resolve) => {
      // Before Node's own listener, which puts that off to a tick.
      res.prependListener('end', () => {
        void withFakeTicks(() => wait(10)).then(resolve);
      });
    });
    res.resume();
    await ended;
  }
  await Promise.all(sends.map((send) => serves(send)));
});

test('ticks that are faked and come late are waited for', LIMIT, async (t) => {
  const { url, ca } = await threadedServer(t);
  const pools = KINDS.map((options) => poolingAgent(t, { ca, ...options }));
  lookAllTheTime(t);
  const clock = install({ toFake: ['nextTick'] });
  t.after(() => clock.uninstall());
  const reqs = pools.flatMap((agent) =>
    ['GET', 'POST'].map((method) =>
      request(new URL('/', url), { agent, method }).end(method === 'POST' ? 'text' : undefined),
    ),
  );
  // Some dozens of turns of the event loop without any tick.
  const ticks = setInterval(() => clock.runMicrotasks(), 20);
  t.after(() => clearInterval(ticks));
  await Promise.all(reqs.map((req) => answerTo(req)));
});

test('exchanges that go on between two ticks do not stand still', LIMIT, async (t) => {
  const { url, ca } = await threadedServer(t);
  const pools = KINDS.map((options) => poolingAgent(t, { ca, ...options }));
  lookAllTheTime(t);
  const clock = install({ toFake: ['nextTick'] });
  t.after(() => clock.uninstall());
  // Now and then, so that the response waits to be read on when they come, and waits for more when they come again.
  let delay = 0;
  const tick = (): void => {
    clock.runMicrotasks();
    delay = (delay + 7) % 23;
    timer = setTimeout(tick, delay);
  };
  let timer = setTimeout(tick, 0);
  t.after(() => clearTimeout(timer));
  for (let round = 0; round < 12; round++) {
    const reqs = pools.map((agent) => request(new URL('/?spaces=300000', url), { agent }).end());
    await Promise.all(reqs.map((req) => answerTo(req)));
  }
});

test('an exchange that takes long is none that stands still', LIMIT, async (t) => {
  const { url, ca } = await threadedServer(t);
  const agent = poolingAgent(t, { ca, maxSockets: 1 });
  const get = (path: string): ClientRequest => request(new URL(path, url), { agent }).end();
  // A response that is read late and slowly, and an answer that comes late, while somebody waits.
  const [res] = (await once(get('/?spaces=200000'), 'response')) as [IncomingMessage];
  const behind = [get('/?after=1100'), get('/')].map((req) => answerTo(req));
  await wait(1100);
  let length = 0;
  for await (const chunk of res) length += (chunk as Buffer).length;
  assert.equal(length, 200_001);
  await Promise.all(behind);
  await until(() => idleCount(agent) === 1 && activeCount(agent) === 0);
});
