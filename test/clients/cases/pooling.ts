/** Reuse, limits and order. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { idleCount, poolingAgent, waitingCount } from '../../support/agent.js';
import { httpsServer } from '../../support/server.js';
import type { Client } from '../client.js';
import { holdingServer, LIMIT, quiet } from '../support.js';
import { until } from '../../support/until.js';

export function poolingCases(client: Client): void {
  it('uses one connection for requests in turn', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    for (let i = 0; i < 20; i++) {
      assert.deepEqual(await client.get(`${server.url}/${i}`, { agent }), { status: 200, body: `/${i}` });
    }
    assert.equal(server.requests(), 20);
    assert.equal(server.connections(), 1);
  });

  it('keeps to maxSockets', LIMIT, async (t) => {
    const server = await httpsServer(t, (req, res) => setTimeout(() => res.end(req.url), 2));
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 3 });
    const paths = Array.from({ length: 30 }, (_, i) => `/${i}`);
    const replies = await Promise.all(paths.map((path) => client.get(server.url + path, { agent })));
    assert.deepEqual(
      replies,
      paths.map((body) => ({ status: 200, body })),
    );
    assert.equal(server.requests(), 30);
    assert.equal(server.connections(), 3);
    assert.equal(server.peak(), 3);
    await quiet(agent);
    assert.equal(idleCount(agent), 3);
  });

  it('keeps to maxTotalSockets with two servers', LIMIT, async (t) => {
    const servers = [await httpsServer(t), await httpsServer(t)];
    const [{ ca }] = servers as [(typeof servers)[number]];
    const agent = poolingAgent(t, { ca, maxTotalSockets: 1 });
    const urls = Array.from({ length: 4 }, (_, i) => servers.map(({ url }) => `${url}/${i}`)).flat();
    const replies = await Promise.all(urls.map((url) => client.get(url, { agent })));
    assert.deepEqual(
      replies,
      urls.map((url) => ({ status: 200, body: new URL(url).pathname })),
    );
    assert.ok(agent.totalSocketCount <= 1);
  });

  it('serves waiting requests in the order in which they came', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const paths: string[] = [];
    server.server.on('request', ({ url }) => paths.push(url ?? ''));
    const first = client.get(`${server.url}/hold`, { agent });
    await until(() => server.held.length === 1);
    const others: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      others.push(client.get(`${server.url}/${i}`, { agent }));
      await until(() => waitingCount(agent) === i + 1);
    }
    server.held[0]?.end('held');
    assert.deepEqual(await first, { status: 200, body: 'held' });
    await Promise.all(others);
    assert.deepEqual(paths, ['/hold', '/0', '/1', '/2', '/3', '/4']);
    assert.equal(server.connections(), 1);
  });

  it('goes on after agent.destroy()', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await client.get(`${server.url}/before`, { agent });
    await quiet(agent);
    agent.destroy();
    await until(() => server.open() === 0);
    const reply = await client.get(`${server.url}/after`, { agent });
    assert.deepEqual(reply, { status: 200, body: '/after' });
    assert.equal(server.connections(), 2);
  });
}
