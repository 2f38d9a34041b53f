/** A request's 'timeout' is emitted in its own async context, whoever dialled or used its connection before. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { request } from 'node:https';
import { it } from 'node:test';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
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
