/** Events of a request are emitted in its own async context, whichever request opened or used its connection before. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { poolingAgent } from '../support/agent.js';
import { request } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { LIMIT } from './support.js';

for (const binding of ['eager', 'late'] as const) {
  for (const maxSockets of [1, 2, Infinity]) {
    for (const how of ['option', 'of the agent']) {
      it(`${binding} binding, ${maxSockets} connections, ${how}`, LIMIT, async (t) => {
        const server = await httpsServer(t, (req, res) => {
          if (req.url !== '/') setTimeout(() => res.end(), 60);
          else res.end();
        });
        const timeout = { timeout: 20 };
        const ofAgent = how === 'of the agent' ? timeout : {};
        const agent = poolingAgent(t, { ca: server.ca, maxSockets, binding, ...ofAgent });
        const store = new AsyncLocalStorage<number>();
        const wrong: string[] = [];
        const ask = (i: number): Promise<void> =>
          new Promise((resolve) => {
            const options = { port: server.port, ca: server.ca, agent, path: '/slow' };
            const req = request({ ...options, ...(how === 'option' && timeout) }, (res) => res.resume());
            req.on('timeout', () => {
              if (store.getStore() !== i) wrong.push(`${i} in ${store.getStore()}`);
            });
            req.on('close', resolve).end();
          });
        // Cold, and with a connection that has the same timeout from a request before.
        await Promise.all(Array.from({ length: 5 }, (_, i) => store.run(i, ask, i)));
        await store.run(-1, () => get(server, { agent, ...timeout }));
        await Promise.all(Array.from({ length: 5 }, (_, i) => store.run(i, ask, i)));
        assert.deepEqual(wrong, []);
      });
    }
  }
}

const EVENTS = ['socket', 'response', 'error', 'close'] as const;
const RESPONSE_EVENTS = ['data', 'end', 'error', 'aborted', 'close'] as const;

/** The server's behaviour to the second request on a connection. */
const ENDS = {
  'closes before it answers': '/die',
  'closes in the middle of its answer': '/half',
  answers: '/',
} as const;

for (const binding of ['eager', 'late'] as const) {
  for (const [end, path] of Object.entries(ENDS)) {
    for (const waits of [true, false]) {
      it(
        `${binding} binding, a request that ${waits ? 'has waited' : 'has not'}, on a server that ${end}`,
        LIMIT,
        async (t) => {
          const server = await httpsServer(t, (req, res) => {
            if (req.url === '/die') setTimeout(() => req.socket.destroy(), 5);
            else if (req.url === '/half') {
              res.writeHead(200, { 'content-length': 1000 }).write('x');
              setTimeout(() => req.socket.destroy(), 5);
            } else res.end('x');
          });
          const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, binding });
          const store = new AsyncLocalStorage<string>();
          const wrong: string[] = [];
          const ask = (id: string, to: string): Promise<void> =>
            new Promise((resolve) => {
              const note = (event: string) => (): void => {
                if (store.getStore() !== id) wrong.push(`${event} of ${id} in ${store.getStore()}`);
              };
              const req = request({ port: server.port, agent, path: to, method: 'POST' }, (res) => {
                for (const event of RESPONSE_EVENTS) res.on(event, note(`${event} of the response`));
              });
              for (const event of EVENTS) req.on(event, note(event));
              req.on('close', resolve).end('x');
            });
          const first = store.run('the first', ask, 'the first', '/');
          if (!waits) await first;
          await Promise.all([first, store.run('the second', ask, 'the second', path)]);
          assert.deepEqual(wrong, []);
        },
      );
    }
  }
}

/** The contexts in which the socket of a request emits events. */
function contextsOf(store: AsyncLocalStorage<string>, req: ReturnType<typeof request>): Set<unknown> {
  const seen = new Set<unknown>();
  req.on('socket', (socket) => {
    for (const event of ['data', 'close']) socket.on(event, () => seen.add(store.getStore()));
  });
  return seen;
}

for (const binding of ['eager', 'late'] as const)
  it(
    `a connection that was opened for another request, which was given up, ${binding} binding`,
    LIMIT,
    async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, binding });
      const store = new AsyncLocalStorage<string>();
      const first = store.run('first', () => request({ port: server.port, agent })).on('error', () => {});
      const second = store.run('second', () => request({ port: server.port, agent }));
      const seen = contextsOf(store, second);
      first.destroy();
      const [response] = (await once(second.end(), 'response')) as [IncomingMessage];
      await once(response.resume(), 'end');
      agent.destroy();
      await until(() => agent.totalSocketCount === 0);
      assert.deepEqual([...seen], ['second']);
    },
  );

it('a connection that createConnection has opened in another context', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const store = new AsyncLocalStorage<string>();
  const { createConnection } = agent as unknown as { createConnection: (options: object) => Socket };
  Reflect.set(agent, 'createConnection', (options: object) =>
    store.run('another', () => createConnection.call(agent, options)),
  );
  const req = store.run('own', () => request({ port: server.port, agent }));
  const seen = contextsOf(store, req);
  const [response] = (await once(req.end(), 'response')) as [IncomingMessage];
  await once(response.resume(), 'end');
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.deepEqual([...seen], ['own']);
});
