/** Metrics of real agents: what is scraped is what has happened, while it happens and afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observe } from '../../src/opentelemetry/index.js';
import { register } from '../../src/prometheus/index.js';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { openTelemetry, promClient } from './scrape.js';

test('both tell what agent.stats() says, and the durations of what waited and what ended', async (t) => {
  const server = await httpsServer(t, (_req, res) => void setTimeout(() => res.end('ok'), 20));
  const agent = poolingAgent(t, { name: 'api', keepAlive: true, maxSockets: 2 });
  const open = await openTelemetry(t);
  const prom = await promClient(t);
  observe(agent, open.into);
  register(agent, { registry: prom.into });
  await Promise.all(Array.from({ length: 10 }, () => get(server, { agent })));
  await until(() => agent.stats().idle === 2);
  const stats = agent.stats();
  assert.equal(stats.timeInQueue.count, 8);
  for (const { scraped, http, unit, name, label } of [
    {
      scraped: await open.scrape(),
      http: 'http_client',
      unit: '',
      name: 'pooling_https_agent_name',
      label: 'pooling_https_agent_',
    },
    { scraped: await prom.scrape(), http: 'pooling_https_agent', unit: '_seconds', name: 'agent', label: '' },
  ]) {
    const of = { [name]: 'api' };
    const total = (metric: string, labels = {}): number =>
      scraped.value(`pooling_https_agent_${metric}_total`, { ...of, ...labels });
    assert.equal(total('requests'), 10);
    assert.equal(total('reused_requests'), stats.reused);
    assert.equal(total('queued_requests'), stats.queued);
    assert.equal(total('opened_connections'), 2);
    const { full, resumed } = stats.handshakes;
    assert.equal(total('handshakes', { [`${label}kind`]: 'full' }), full);
    assert.equal(total('handshakes', { [`${label}kind`]: 'resumed' }), resumed);
    const here = { ...of, server_address: 'localhost', server_port: String(server.port) };
    assert.equal(scraped.sum(`${http}_open_connections`, here), 2);
    assert.equal(scraped.value(`${http}_request_time_in_queue${unit}_count`, of), 8);
    const seconds = (stats.timeInQueue.mean * stats.timeInQueue.count) / 1000;
    // The agent's own histogram has microseconds, and three digits.
    assert.ok(Math.abs(scraped.value(`${http}_request_time_in_queue${unit}_sum`, of) / seconds - 1) < 0.01);
  }
  agent.destroy();
  await until(() => agent.stats({ hosts: false }).opened === 2 && agent.totalSocketCount === 0);
  for (const [{ scrape }, http, unit] of [
    [open, 'http_client', ''],
    [prom, 'pooling_https_agent', '_seconds'],
  ] as const) {
    const scraped = await scrape();
    assert.equal(scraped.sum(`${http}_connection_duration${unit}_count`), 2);
    assert.ok(scraped.sum(`${http}_connection_duration${unit}_sum`) > 0.02);
    assert.equal(scraped.sum(`${http}_open_connections`), 0);
    assert.equal(scraped.sum('pooling_https_agent_closed_connections_total'), 2);
  }
});
