/** A request runs in the async context in which it was made, whatever its connection went through before. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import type { Agent } from 'node:https';
import { test } from 'node:test';
import { poolingAgent } from '../support/agent.js';
import { request } from '../support/protocol.js';
import type { TestServer } from '../support/server.js';
import { get, httpsServer } from '../support/server.js';
import { forBoth, holdingServer, LIMIT, sizeOf, untilIdle } from './support.js';
import { until } from '../support/until.js';

const storage = new AsyncLocalStorage<string>();

/** The value that every callback of a request sees in the storage. */
function contexts(agent: Agent, server: TestServer, name: string): Promise<Record<string, unknown>> {
  return storage.run(name, () => {
    const seen: Record<string, unknown> = {};
    const note = (event: string) => (): void => {
      // Every one of several.
      if (seen[event] === undefined || seen[event] === name) seen[event] = storage.getStore();
    };
    return new Promise((resolve, reject) => {
      const req = request({ host: 'localhost', port: server.port, agent, timeout: 10_000 });
      req.on('socket', note('socket'));
      req.on('finish', note('finish'));
      req.on('error', reject);
      req.on('response', (res) => {
        note('response')();
        res.on('data', note('data'));
        res.on('end', note('end'));
        res.on('close', note('res close'));
      });
      req.on('close', () => {
        note('close')();
        resolve(seen);
      });
      req.end(note('end callback'));
    });
  });
}

function all(name: string): Record<string, string> {
  const events = ['socket', 'finish', 'end callback', 'response', 'data', 'end', 'res close', 'close'];
  return Object.fromEntries(events.map((event) => [event, name]));
}

forBoth('a request on a new, and on a reused socket', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  for (const name of ['first', 'second', 'third']) {
    assert.deepEqual(await contexts(agent, server, name), all(name));
    await untilIdle(agent);
  }
  assert.equal(server.connections(), 1);
});

// Over Node's agent, 'finish' and 'close' of these come in the context of the request before.
test('requests that waited for a socket', LIMIT, async (t) => {
  const server = await httpsServer(t, (_req, res) => res.end('data'));
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const names = ['first', 'second', 'third', 'fourth'];
  const seen = await Promise.all(names.map((name) => contexts(agent, server, name)));
  assert.deepEqual(seen, names.map(all));
  assert.equal(server.connections(), 1);
});

test('requests that waited, and then a connection was opened for them', LIMIT, async (t) => {
  const server = await httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end('data'));
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const names = ['first', 'second', 'third'];
  const seen = await Promise.all(names.map((name) => contexts(agent, server, name)));
  assert.deepEqual(seen, names.map(all));
  assert.equal(server.connections(), 3);
});

forBoth("a waiting request's error", async ({ t, agent: make }) => {
  const server = await holdingServer(t);
  const agent = make({ ca: server.ca, maxSockets: 1 });
  const first = get(server, { agent });
  const seen: unknown[] = [];
  const closed = storage.run('waiting', () => {
    const req = request({ host: 'localhost', port: server.port, agent });
    req.on('error', () => seen.push(storage.getStore()));
    return new Promise<void>((resolve) => {
      req.on('close', () => {
        seen.push(storage.getStore());
        resolve();
      });
      setImmediate(() => storage.run('somebody else', () => req.destroy()));
    });
  });
  await until(() => server.held.length === 1);
  server.held[0]?.end();
  await first;
  await closed;
  assert.equal(sizeOf(agent.requests), 0);
  assert.deepEqual(seen, ['waiting', 'waiting']);
});

forBoth('the async id of a socket is its own again with every request', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  const created = new Map<number, object>();
  const destroyed = new Set<number>();
  const hook = createHook({
    init: (id, _type, _trigger, resource) => void created.set(id, resource),
    destroy: (id) => void destroyed.add(id),
  }).enable();
  t.after(() => hook.disable());

  const ids: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { req } = await get(server, { agent });
    const socket = await untilIdle(agent);
    assert.equal(req.socket, socket);
    const symbol = Object.getOwnPropertySymbols(socket).find((s) => s.description === 'async_id_symbol');
    assert.ok(symbol);
    await until(() => Reflect.get(socket, symbol) === -1);
    ids.push((Reflect.get(socket, '_handle') as { getAsyncId(): number }).getAsyncId());
  }
  assert.equal(new Set(ids).size, 3);
  // The second and the third were made for the reuse, and the one before is told to be over.
  for (const id of ids.slice(1)) {
    const resource = created.get(id) as { handle?: unknown } | undefined;
    assert.equal(typeof resource?.handle, 'object');
  }
  await until(() => ids.slice(0, 2).every((id) => destroyed.has(id)));
});
