/** A rule for the host and port of a proxy bounds the connections through it, of all hosts together. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { it } from 'node:test';
import type { TestContext } from 'node:test';
import '../support/audit.js';
import type { PoolingAgent } from '../../src/index.js';
import { holdingServer, LIMIT, lookupLoopback, send } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { proxyServer } from '../support/proxy-server.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

/** The most connections that `agent` has had at once, by its own count. The proxy may hear of a new one before it hears of the end of an old one. */
function peakOf(t: TestContext, agent: PoolingAgent): () => number {
  let peak = 0;
  const listener = (): void => void (peak = Math.max(peak, agent.totalSocketCount));
  subscribe('pooling-https-agent:connection:open', listener);
  t.after(() => unsubscribe('pooling-https-agent:connection:open', listener));
  return () => peak;
}

const HEADERS = { headers: { Host: 'localhost' }, lookup: lookupLoopback };

it('as many tunnels as it allows: an idle one makes room, and requests wait in turn', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const agent = poolingAgent(t, {
    ca: server.ca,
    proxy: proxy.url,
    hosts: { [`127.0.0.1:${proxy.port}`]: { maxSockets: 2 } },
  });
  const peak = peakOf(t, agent);
  const hosts = ['a.test', 'b.test', 'c.test', 'd.test'];
  for (const host of hosts)
    assert.equal((await get(server, { agent, host, path: '/1', ...HEADERS })).body, '/1');
  assert.equal(peak(), 2);
  assert.equal(agent.stats().closed.evicted, 2);
  const answers = hosts.flatMap((host) =>
    Array.from({ length: 30 }, (_, i) => get(server, { agent, host, path: `/${host}/${i}`, ...HEADERS })),
  );
  assert.equal((await Promise.all(answers)).length, 120);
  assert.equal(peak(), 2);
});

it('a host that waits for one has its turn, although others go on', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t);
  const agent = poolingAgent(t, {
    ca: server.ca,
    proxy: proxy.url,
    hosts: { [`127.0.0.1:${proxy.port}`]: { maxSockets: 1 } },
  });
  const peak = peakOf(t, agent);
  let served = 0;
  const many = Array.from({ length: 100 }, () =>
    get(server, { agent, host: 'a.test', ...HEADERS }).then(() => served++),
  );
  const { body } = await get(server, { agent, host: 'b.test', path: '/b', ...HEADERS });
  assert.equal(body, '/b');
  assert.ok(served <= 43, `${served} came before it`);
  await Promise.all(many);
  assert.equal(peak(), 1);
});

it(
  'it may change; explain() and preconnect() tell of it; direct connections do not count',
  LIMIT,
  async (t) => {
    const server = await holdingServer(t);
    const proxy = await proxyServer(t);
    const address = `127.0.0.1:${proxy.port}`;
    const agent = poolingAgent(t, {
      ca: server.ca,
      proxy: (host) => (host === 'near.test' ? undefined : proxy.url),
      hosts: { [address]: { maxSockets: 1 } },
    });
    const first = send(server, { agent, host: 'a.test', ...HEADERS });
    await until(() => server.held.length === 1);
    const second = send(server, { agent, host: 'b.test', ...HEADERS });
    const near = send(server, { agent, host: 'near.test', ...HEADERS });
    await until(() => server.held.length === 2);
    assert.equal(agent.explain(second.req).limitedBy, 'proxy');
    const { errors } = await agent.preconnect(`https://c.test:${server.port}`);
    assert.equal(Reflect.get(errors[0] as Error, 'limitedBy'), 'proxy');
    agent.setHostLimits(address, { maxSockets: 2 });
    await until(() => server.held.length === 3);
    for (const res of server.held) res.end();
    await Promise.all([first, second, near].map(({ closed }) => closed));
    agent.setHostLimits(address, { maxSockets: 1 });
    await until(() => proxy.open() === 1);
    agent.setHostLimits(address, undefined);
    const third = ['a.test', 'b.test', 'c.test'].map((host) => send(server, { agent, host, ...HEADERS }));
    await until(() => server.held.length === 6);
    for (const res of server.held) res.end();
    await Promise.all(third.map(({ closed }) => closed));
    assert.equal(proxy.peak(), 3);
  },
);
