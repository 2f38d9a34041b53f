/**
 * fetch, Node's own and undici's, has a pool of its own: this package leaves it alone, and it the pool. That begins
 * with the import, so nothing that imports the package is imported before the first look.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import tls from 'node:tls';
import { Agent as Dispatcher, fetch as undiciFetch, getGlobalDispatcher } from 'undici';

type Fetch = typeof undiciFetch;

/** The functions that a package could patch, for a comparison afterwards. */
function surroundings(): unknown[] {
  const modules = [http, https, net, tls].map((module) => ({ ...module }));
  const agents = [http.globalAgent, https.globalAgent].map((agent) => ({ ...agent }));
  const prototypes = [http.Agent, https.Agent, http.ClientRequest, net.Socket, tls.TLSSocket].map(
    ({ prototype }) => Object.getOwnPropertyDescriptors(prototype),
  );
  return [modules, agents, prototypes, globalThis.fetch, getGlobalDispatcher()];
}

const before = surroundings();
await import('../../src/index.js');
const after = surroundings();

const { activeCount, idleCount, poolingAgent, waitingCount } = await import('../support/agent.js');
const { get } = await import('../support/server.js');
const { holdingServer, LIMIT, quiet } = await import('./support.js');
const { until } = await import('../support/until.js');

/** One connection at most, so that everything goes over it. */
function dispatcherOf(t: TestContext, ca: string): Dispatcher {
  const dispatcher = new Dispatcher({ connections: 1, connect: { ca } });
  t.after(() => dispatcher.destroy());
  return dispatcher;
}

const fetches: Record<string, Fetch> = {
  "Node's fetch": globalThis.fetch as unknown as Fetch,
  "undici's fetch": undiciFetch,
};

describe('fetch', () => {
  it('finds nothing changed by the import', () => {
    assert.deepEqual(after, before);
  });

  for (const [name, fetch] of Object.entries(fetches)) {
    it(`${name} and the pool do not share connections, nor limits`, LIMIT, async (t) => {
      const server = await holdingServer(t);
      const init = { dispatcher: dispatcherOf(t, server.ca) };
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxTotalSockets: 1 });
      const active = get(server, { agent, path: '/hold' });
      await until(() => server.held.length === 1);
      const waiting = get(server, { agent, path: '/next' });

      for (let i = 0; i < 5; i++) {
        const response = await fetch(`${server.url}/${i}`, init);
        assert.equal(await response.text(), `/${i}`);
      }
      assert.equal(server.connections(), 2);
      assert.deepEqual([activeCount(agent), idleCount(agent), waitingCount(agent)], [1, 0, 1]);

      server.held[0]?.end('held');
      assert.equal((await active).body, 'held');
      assert.equal((await waiting).body, '/next');
      assert.equal(server.connections(), 2);
    });

    it(`${name} goes on after agent.destroy(), on the same connection`, LIMIT, async (t) => {
      const server = await holdingServer(t);
      const init = { dispatcher: dispatcherOf(t, server.ca) };
      const agent = poolingAgent(t, { ca: server.ca });
      await get(server, { agent });
      const response = fetch(`${server.url}/hold`, init);
      await until(() => server.held.length === 1);
      agent.destroy();
      await until(() => server.open() === 1);
      server.held[0]?.end('held');
      assert.equal(await (await response).text(), 'held');
      assert.equal(await (await fetch(`${server.url}/next`, init)).text(), '/next');
      assert.equal(server.connections(), 2);
    });

    it(`${name} aborts, and the pool goes on, on the same connection`, LIMIT, async (t) => {
      const server = await holdingServer(t);
      const init = { dispatcher: dispatcherOf(t, server.ca) };
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      await get(server, { agent });
      await quiet(agent);
      const controller = new AbortController();
      const response = fetch(`${server.url}/hold`, { ...init, signal: controller.signal });
      await until(() => server.held.length === 1);
      controller.abort();
      await assert.rejects(response, { name: 'AbortError' });
      await until(() => server.open() === 1);
      assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
      assert.equal(server.connections(), 2);
    });
  }
});
