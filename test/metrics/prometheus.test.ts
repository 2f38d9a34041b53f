/** `pooling-https-agent/prometheus`, with prom-client and real scrapes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Counter, Registry, register as defaultRegistry } from 'prom-client';
import { register } from '../../src/prometheus/index.js';
import { hostStats, pretendAgent } from '../support/pretend-agent.js';
import { promClient } from './scrape.js';

test('what an agent does is told in base units, counters with _total, all of a scrape at one moment', async (t) => {
  const { into: registry, scrape } = await promClient(t);
  const agent = pretendAgent('api', {
    'a.example:443': hostStats({ active: 3, idle: 2, waiting: 1 }),
    '[::1]:8443': hostStats({ active: 1 }),
  });
  agent.numbers = {
    active: 4,
    idle: 2,
    connecting: 1,
    requests: 10,
    refused: { queueFull: 2, acquireTimeout: 0, closed: 0 },
    handshakes: { full: 1, resumed: 3 },
  };
  register(agent, { registry });
  const scraped = await scrape();
  assert.equal(agent.asked, 1);
  assert.equal(scraped.value('pooling_https_agent_requests_total', { agent: 'api' }), 10);
  assert.equal(scraped.value('pooling_https_agent_refused_requests_total', { reason: 'queueFull' }), 2);
  assert.equal(scraped.value('pooling_https_agent_refused_requests_total', { reason: 'closed' }), 0);
  assert.equal(scraped.value('pooling_https_agent_handshakes_total', { kind: 'resumed' }), 3);
  assert.equal(scraped.sum('pooling_https_agent_connections'), 7);
  assert.equal(
    scraped.value('pooling_https_agent_open_connections', {
      agent: 'api',
      server_address: '::1',
      server_port: '8443',
      state: 'active',
    }),
    1,
  );
  assert.equal(scraped.sum('pooling_https_agent_waiting_requests'), 1);
  assert.equal(scraped.value('pooling_https_agent_request_time_in_queue_seconds_count'), 0);
  for (const [name, type] of scraped.types) {
    assert.equal(type === 'counter', name.endsWith('_total'), name);
    assert.equal(type === 'histogram', name.endsWith('_seconds'), name);
  }
  await scrape();
  assert.equal(agent.asked, 2);
});

test('a host that is gone is told of no more; names are bounded', async (t) => {
  const { into: registry, scrape } = await promClient(t);
  const hosts = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`host-${index}.example:443`, hostStats({ idle: 1 })]),
  );
  const agent = pretendAgent('api', hosts);
  register(agent, { registry, maxHosts: 10 });
  const idle = { state: 'idle' };
  const first = await scrape();
  assert.equal(first.find('pooling_https_agent_open_connections', idle).length, 11);
  assert.equal(first.sum('pooling_https_agent_open_connections', idle), 50);
  agent.hosts = Object.fromEntries(Object.entries(hosts).slice(45));
  const later = await scrape();
  assert.equal(later.find('pooling_https_agent_open_connections', idle).length, 5);
  assert.equal(later.sum('pooling_https_agent_open_connections', idle), 5);
});

test('several agents share a registry; a stopped one leaves it', async (t) => {
  const { into: registry, scrape } = await promClient(t);
  const agents = [pretendAgent('api'), pretendAgent('api'), pretendAgent(undefined)];
  const stops = agents.map((agent, index) => {
    agent.numbers = { requests: 10 ** index };
    return register(agent, { registry });
  });
  const names = async (): Promise<unknown[]> =>
    (await scrape())
      .find('pooling_https_agent_requests_total')
      .map(({ labels, value }) => [labels['agent'], value]);
  assert.deepEqual(await names(), [
    ['api', 1],
    ['api-2', 10],
    ['agent', 100],
  ]);
  stops[0]?.();
  stops[0]?.();
  assert.deepEqual(await names(), [
    ['api-2', 10],
    ['agent', 100],
  ]);
  assert.equal((await scrape()).find('pooling_https_agent_connection_duration_seconds_count').length, 2);
  const late = pretendAgent('api');
  late.numbers = { requests: 7 };
  register(late, { registry });
  assert.deepEqual((await names())[2], ['api', 7]);
});

test('registered twice it is told of once, also below another prefix', async (t) => {
  const { into: registry, scrape } = await promClient(t);
  const agent = pretendAgent('api');
  agent.numbers = { requests: 3 };
  const stop = register(agent, { registry });
  assert.equal(register(agent, { registry }), stop);
  assert.notEqual(register(agent, { registry, prefix: 'shop_' }), stop);
  const scraped = await scrape();
  assert.equal(scraped.value('pooling_https_agent_requests_total'), 3);
  assert.equal(scraped.value('shop_requests_total'), 3);
  stop();
  const later = await scrape();
  assert.deepEqual(later.find('pooling_https_agent_requests_total'), []);
  assert.equal(later.value('shop_requests_total'), 3);
});

test('after registry.clear() agents can be registered anew', async (t) => {
  const { into: registry, scrape } = await promClient(t);
  const [one, two] = [pretendAgent('one'), pretendAgent('two')];
  const stop = register(one, { registry });
  registry.clear();
  assert.deepEqual((await scrape()).series, []);
  const again = register(two, { registry });
  assert.deepEqual(
    (await scrape()).find('pooling_https_agent_requests_total').map(({ labels }) => labels['agent']),
    ['two'],
  );
  assert.notEqual(register(one, { registry }), stop);
  stop();
  assert.equal((await scrape()).find('pooling_https_agent_requests_total').length, 2);
  // One metric that is missing is as good as all.
  registry.removeSingleMetric('pooling_https_agent_connections');
  register(two, { registry });
  assert.equal((await scrape()).find('pooling_https_agent_connections', { agent: 'two' }).length, 4);
  again();
});

test('where a name is taken, nothing is left behind', async (t) => {
  const { into: registry, scrape } = await promClient(t);
  const foreign = new Counter({
    name: 'pooling_https_agent_handshakes_total',
    help: 'of somebody else',
    registers: [registry],
  });
  foreign.inc(4);
  assert.throws(() => register(pretendAgent('api'), { registry }), /already been registered/);
  assert.deepEqual(
    (await scrape()).series.map(({ name, value }) => [name, value]),
    [['pooling_https_agent_handshakes_total', 4]],
  );
});

test('prom-client has a registry of its own, and another format', async (t) => {
  const agent = pretendAgent('api');
  const stop = register(agent, { prefix: 'own_' });
  t.after(() => defaultRegistry.clear());
  assert.match(await defaultRegistry.metrics(), /own_requests_total\{agent="api"\} 0/);
  stop();
  const open = new Registry<typeof Registry.OPENMETRICS_CONTENT_TYPE>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  register(agent, { registry: open as never });
  const text = await open.metrics();
  assert.match(text, /# TYPE pooling_https_agent_requests counter\n/);
  assert.match(text, /pooling_https_agent_requests_total\{agent="api"\} 0/);
  assert.match(text, /# EOF\n$/);
});

test('wrong arguments are refused at once', () => {
  const agent = pretendAgent('api');
  const wrong: [() => unknown, string][] = [
    [() => register(undefined as never), 'ERR_INVALID_ARG_TYPE'],
    [() => register({} as never), 'ERR_INVALID_ARG_TYPE'],
    [() => register(agent, 'shop_' as never), 'ERR_INVALID_ARG_TYPE'],
    [() => register(agent, { registry: {} as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => register(agent, { prefix: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => register(agent, { prefix: '1st_' }), 'ERR_INVALID_ARG_VALUE'],
    [() => register(agent, { prefix: 'my-app_' }), 'ERR_INVALID_ARG_VALUE'],
    [() => register(agent, { maxHosts: -1 }), 'ERR_OUT_OF_RANGE'],
  ];
  for (const [call, code] of wrong) assert.throws(call, { code }, String(call));
});
