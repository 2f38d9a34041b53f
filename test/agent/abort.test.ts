/**
 * A request is ended at every moment of its life, in every way. Each time it ends once, nothing is uncaught, nothing
 * of it stays in the pool, and the next request is served. (An uncaught error fails the test it happens in.)
 */
import assert from 'node:assert/strict';
import { request } from '../support/protocol.js';
import type { Agent } from 'node:https';
import type { ClientRequest } from 'node:http';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { TestContext } from 'node:test';
import type { PoolingAgentOptions } from '../../src/index.js';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

type End = () => void;
type Moment = (req: ClientRequest, end: End) => void;

/** When it is ended. */
const MOMENTS: Record<string, Moment> = {
  'at once': (_req, end) => end(),
  'in a tick': (_req, end) => process.nextTick(end),
  'in a microtask': (_req, end) => queueMicrotask(end),
  'in a turn': (_req, end) => void globalThis.setImmediate(end),
  "on 'socket'": (req, end) => req.once('socket', end),
  "a tick after 'socket'": (req, end) => req.once('socket', () => process.nextTick(end)),
  "on 'lookup'": (req, end) => req.once('socket', (socket) => socket.once('lookup', end)),
  "on 'connect'": (req, end) => req.once('socket', (socket) => socket.once('connect', end)),
  "on 'secureConnect'": (req, end) => req.once('socket', (socket) => socket.once('secureConnect', end)),
  "on 'finish'": (req, end) => req.once('finish', end),
  "on 'response'": (req, end) => req.once('response', end),
  "a turn after 'response'": (req, end) => req.once('response', () => globalThis.setImmediate(end)),
  "on 'data'": (req, end) => req.once('response', (res) => res.once('data', end)),
  "a tick after 'data'": (req, end) =>
    req.once('response', (res) => res.once('data', () => process.nextTick(end))),
  "on 'end'": (req, end) => req.once('response', (res) => res.once('end', end)),
  "a tick after 'end'": (req, end) =>
    req.once('response', (res) => res.once('end', () => process.nextTick(end))),
  "a turn after 'end'": (req, end) =>
    req.once('response', (res) => res.once('end', () => globalThis.setImmediate(end))),
  "on the response's 'close'": (req, end) => req.once('response', (res) => res.once('close', end)),
  "on 'close'": (req, end) => req.once('close', end),
};

/** The ways to abort a request. */
const WAYS: Record<string, (req: ClientRequest, controller: AbortController) => void> = {
  'destroy()': (req) => req.destroy(),
  'destroy(error)': (req) => req.destroy(new Error('ended')),
  'abort()': (req) => req.abort(),
  'an AbortSignal': (_req, controller) => controller.abort(),
};

interface Life {
  readonly events: string[];
  readonly closed: Promise<void>;
}

function send(agent: Agent, port: number, path: string, moment: Moment, way: keyof typeof WAYS): Life {
  const controller = new AbortController();
  const req = request({ host: 'localhost', port, path, agent, signal: controller.signal });
  const events: string[] = [];
  const closed = new Promise<void>((resolve) => req.on('close', resolve));
  req.on('error', () => events.push('error'));
  req.on('abort', () => events.push('abort'));
  req.on('close', () => events.push('close'));
  req.on('response', (res) => {
    events.push('response');
    res.on('data', () => {});
    res.on('error', () => {});
  });
  moment(req, () => WAYS[way]?.(req, controller));
  req.end();
  return { events, closed };
}

function endsOnce({ events }: Life, moment: string): void {
  const count = (event: string): number => events.filter((e) => e === event).length;
  assert.equal(count('close'), 1, `${moment}: ${events.join()}`);
  assert.ok(count('error') <= 1, `${moment}: ${events.join()}`);
  // After `abort()`, Node reports no error.
  assert.ok(count('error') + count('abort') + count('response') > 0, `${moment}: ended without a sign`);
}

async function endsAtEveryMoment(t: TestContext, way: string, options: PoolingAgentOptions): Promise<void> {
  const server = await httpsServer(t, (_req, res) => {
    res.write('the first chunk');
    res.end('the last one');
  });
  for (const [name, moment] of Object.entries(MOMENTS)) {
    const agent = poolingAgent(t, { ca: server.ca, ...options });
    // On a new connection, on a used one, and as one of many.
    for (let round = 0; round < 3; round++) {
      const lives = [send(agent, server.port, '/', moment, way)];
      if (round === 2) for (let i = 0; i < 5; i++) lives.push(send(agent, server.port, '/', moment, way));
      await Promise.all(lives.map(({ closed }) => closed));
      for (const life of lives) endsOnce(life, name);
    }
    await until(() => activeCount(agent) === 0 && waitingCount(agent) === 0);
    // A connection that was begun for an ended request may be open for a moment longer; it serves the next one.
    const { body } = await get(server, { agent });
    assert.equal(body, 'the first chunkthe last one', name);
    agent.destroy();
    await until(() => agent.totalSocketCount === 0);
  }
}

for (const way of Object.keys(WAYS)) {
  test(`ended by ${way} at every moment`, LIMIT, (t) => endsAtEveryMoment(t, way, {}));
  test(`ended by ${way} at every moment, one connection`, LIMIT, (t) =>
    endsAtEveryMoment(t, way, { maxSockets: 1 }),
  );
  test(`ended by ${way} at every moment, late binding`, LIMIT, (t) =>
    endsAtEveryMoment(t, way, { binding: 'late', maxTotalSockets: 2 }),
  );
}

test('a signal that was aborted before the request opens nothing', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await assert.rejects(get(server, { agent, signal: AbortSignal.abort() }), { name: 'AbortError' });
  await setImmediate();
  assert.equal(agent.totalSocketCount, 0);
  assert.equal(waitingCount(agent), 0);
});

test('100 waiting requests ended at once open nothing and leave the queue at once', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const active = request({ host: 'localhost', port: server.port, agent }).on('error', () => {});
  active.end();
  const waiting = Array.from({ length: 100 }, () =>
    request({ host: 'localhost', port: server.port, agent }).on('error', () => {}),
  );
  assert.equal(waitingCount(agent), 100);
  const closed = waiting.map((req) => new Promise<void>((resolve) => req.on('close', resolve)));
  for (const req of waiting) req.destroy();
  assert.equal(waitingCount(agent), 0);
  await Promise.all(closed);
  active.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.ok(server.connections() <= 1);
});

test("a socket of the pool has an 'error' listener at every moment", LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  let without = 0;
  let looked = 0;
  const look = (req: ClientRequest): void =>
    void req.on('socket', (socket) => {
      if (socket.listeners('removeListener').some(({ name }) => name === 'watch')) return;
      socket.on('removeListener', function watch(event) {
        looked++;
        if (event === 'error' && !socket.destroyed && socket.listenerCount('error') === 0) without++;
      });
    });
  for (let i = 0; i < 5; i++) {
    const queued = [0, 1, 2].map(() => {
      const answer = get(server, { agent });
      return answer;
    });
    const req = request({ host: 'localhost', port: server.port, agent }, (res) => res.resume());
    look(req);
    req.end();
    await Promise.all([...queued, new Promise((resolve) => req.on('close', resolve))]);
  }
  assert.ok(looked > 0);
  assert.equal(without, 0);
});
