/** `pooling-https-agent/opentelemetry`, with OpenTelemetry's SDK and its Prometheus exporter. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observe } from '../../src/opentelemetry/index.js';
import { hostStats, pretendAgent } from '../support/pretend-agent.js';
import { openTelemetry } from './scrape.js';

const NAME = 'pooling_https_agent_name';

test('connections are told by host and state, under the names of the semantic conventions', async (t) => {
  const { into: meter, scrape } = await openTelemetry(t);
  const agent = pretendAgent('api', {
    'a.example:443': hostStats({ active: 3, idle: 2, waiting: 1 }),
    '[::1]:8443': hostStats({ active: 1 }),
  });
  agent.numbers = { active: 4, idle: 2, connecting: 1, closing: 1, waiting: 1 };
  observe(agent, meter);
  const scraped = await scrape();
  const name = 'http_client_open_connections';
  assert.deepEqual(scraped.find(name, { server_address: 'a.example' }), [
    {
      name,
      labels: {
        [NAME]: 'api',
        http_connection_state: 'active',
        server_address: 'a.example',
        server_port: '443',
        url_scheme: 'https',
        otel_scope_name: 'test',
      },
      value: 3,
    },
    {
      name,
      labels: {
        [NAME]: 'api',
        http_connection_state: 'idle',
        server_address: 'a.example',
        server_port: '443',
        url_scheme: 'https',
        otel_scope_name: 'test',
      },
      value: 2,
    },
  ]);
  assert.equal(scraped.value(name, { server_address: '::1', http_connection_state: 'active' }), 1);
  assert.equal(scraped.sum(name), 6);
  assert.equal(scraped.sum('pooling_https_agent_connections'), 8);
  assert.equal(scraped.value('pooling_https_agent_waiting_requests', { server_address: 'a.example' }), 1);
});

test('counters are of the agent, with words for what tells their series apart', async (t) => {
  const { into: meter, scrape } = await openTelemetry(t);
  const agent = pretendAgent('api');
  agent.numbers = {
    requests: 10,
    reused: 7,
    queued: 3,
    replayed: 1,
    opened: 4,
    handshakes: { full: 1, resumed: 3 },
    refused: { queueFull: 2, acquireTimeout: 0, closed: 0 },
  };
  observe(agent, meter);
  const scraped = await scrape();
  const total = (name: string, labels = {}): number =>
    scraped.value(`pooling_https_agent_${name}_total`, labels);
  assert.equal(total('requests'), 10);
  assert.equal(total('reused_requests'), 7);
  assert.equal(total('queued_requests'), 3);
  assert.equal(total('replayed_requests'), 1);
  assert.equal(total('opened_connections'), 4);
  assert.equal(total('handshakes', { pooling_https_agent_kind: 'resumed' }), 3);
  assert.equal(total('refused_requests', { pooling_https_agent_reason: 'queueFull' }), 2);
  assert.equal(total('closed_connections', { pooling_https_agent_reason: 'idle-timeout' }), 0);
  assert.equal(total('failed_connections', { pooling_https_agent_phase: 'secureConnect' }), 0);
  for (const [name, type] of scraped.types)
    assert.equal(type, name.endsWith('_total') ? 'counter' : name === 'target_info' ? 'gauge' : type, name);
});

test('a host that is gone is told to have nothing any more', async (t) => {
  const { into: meter, scrape } = await openTelemetry(t);
  const hosts = { 'a.example:443': hostStats({ active: 3, waiting: 2 }) };
  const agent = pretendAgent('api', hosts);
  observe(agent, meter);
  assert.equal((await scrape()).sum('http_client_open_connections'), 3);
  agent.hosts = {};
  for (let times = 0; times < 2; times++) {
    const scraped = await scrape();
    assert.equal(scraped.sum('http_client_open_connections'), 0);
    assert.equal(scraped.sum('pooling_https_agent_waiting_requests'), 0);
  }
  agent.hosts = { 'a.example:443': hostStats({ active: 1 }) };
  assert.equal((await scrape()).sum('http_client_open_connections'), 1);
});

test('a bounded number of hosts have labels; the others add up', async (t) => {
  const { into: meter, scrape } = await openTelemetry(t);
  const hosts = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`host-${index}.example:443`, hostStats({ idle: 1 })]),
  );
  const agent = pretendAgent('api', hosts);
  observe(agent, meter, { maxHosts: 10 });
  for (let times = 0; times < 3; times++) {
    const scraped = await scrape();
    const idle = scraped.find('http_client_open_connections', { http_connection_state: 'idle' });
    assert.equal(idle.length, 11);
    assert.equal(scraped.sum('http_client_open_connections'), 50);
    assert.equal(
      scraped.value('http_client_open_connections', {
        server_address: '_OTHER',
        http_connection_state: 'idle',
      }),
      times === 0 ? 40 : 50,
    );
    // Others come, but never more names.
    agent.hosts = Object.fromEntries(
      Object.entries(hosts).map(([host, stats]) => [`${times}-${host}`, stats]),
    );
  }
  const names = new Set(
    (await scrape()).find('http_client_open_connections').map(({ labels }) => labels['server_address']),
  );
  assert.equal(names.size, 11);
});

test('several agents share a meter, each under a name of its own', async (t) => {
  const { into: meter, scrape } = await openTelemetry(t);
  const agents = [pretendAgent('api'), pretendAgent('api'), pretendAgent(undefined), pretendAgent(undefined)];
  for (const [index, agent] of agents.entries()) {
    agent.numbers = { requests: 10 ** index };
    observe(agent, meter);
  }
  const scraped = await scrape();
  const requests = scraped.find('pooling_https_agent_requests_total');
  assert.deepEqual(
    requests.map(({ labels, value }) => [labels[NAME], value]),
    [
      ['api', 1],
      ['api-2', 10],
      ['agent', 100],
      ['agent-2', 1000],
    ],
  );
});

test('asked twice it tells once; stopped it tells no more, and lets go of the agent', async (t) => {
  const { into: meter, scrape } = await openTelemetry(t);
  const agent = pretendAgent('api', { 'a.example:443': hostStats({ active: 2 }) });
  agent.numbers = { active: 2, requests: 5 };
  const stop = observe(agent, meter);
  assert.equal(observe(agent, meter), stop);
  assert.equal((await scrape()).value('pooling_https_agent_requests_total'), 5);
  assert.equal(agent.asked, 1);
  stop();
  stop();
  const scraped = await scrape();
  assert.equal(agent.asked, 1);
  // The SDK goes on to tell what it was told last: that nothing is left.
  assert.equal(scraped.sum('pooling_https_agent_connections'), 0);
  assert.equal(scraped.sum('http_client_open_connections'), 0);
  agent.numbers = { active: 1, requests: 6 };
  const again = observe(agent, meter);
  assert.notEqual(again, stop);
  stop();
  assert.equal((await scrape()).value('pooling_https_agent_requests_total', { [NAME]: 'api' }), 6);
});

test('wrong arguments are refused at once', async (t) => {
  const { into: meter } = await openTelemetry(t);
  const agent = pretendAgent('api');
  for (const wrong of [undefined, null, {}, 'agent', () => {}] as never[]) {
    assert.throws(() => observe(wrong, meter), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => observe(agent, wrong), { code: 'ERR_INVALID_ARG_TYPE' });
  }
  assert.throws(() => observe(agent, meter, { maxHosts: -1 }), { code: 'ERR_OUT_OF_RANGE' });
  assert.throws(() => observe(agent, meter, { maxHosts: 'many' as never }), { code: 'ERR_INVALID_ARG_TYPE' });
});
