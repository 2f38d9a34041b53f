/** Many agents at work, scraped all the time. Without the audit of other tests, which costs more than the requests. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { PoolingAgent } from '../../src/index.js';
import { observe } from '../../src/opentelemetry/index.js';
import { register } from '../../src/prometheus/index.js';
import { byEffort } from '../support/effort.js';
import { httpsServer } from '../support/server.js';
import { openTelemetry, promClient } from './scrape.js';

const REQUESTS = byEffort(10_000);

test(`ten agents are scraped while ${REQUESTS} requests run: no counter goes back, and at the end all is counted`, async (t) => {
  const server = await httpsServer(t, (_req, res) => res.end('ok'));
  const open = await openTelemetry(t);
  const prom = await promClient(t);
  const agents = Array.from({ length: 10 }, (_, index) => {
    const agent = new PoolingAgent({ name: `agent-${index}`, keepAlive: true, maxSockets: 3 });
    t.after(() => agent.destroy());
    observe(agent, open.into);
    register(agent, { registry: prom.into });
    return agent;
  });
  let sent = 0;
  const send = (index: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const next = (): void => {
        if (sent >= REQUESTS) {
          resolve();
          return;
        }
        sent++;
        const { port, ca } = server;
        request({ host: 'localhost', port, ca, agent: agents[index % agents.length] }, (res) => {
          res.resume().on('end', next).on('error', reject);
        })
          .on('error', reject)
          .end();
      };
      next();
    });
  const load = { isDone: false };
  const work = Promise.all(Array.from({ length: 60 }, (_, index) => send(index))).then(
    () => (load.isDone = true),
  );
  const before = new Map<string, number>();
  let scrapes = 0;
  const check = async ({ scrape }: typeof open | typeof prom, source: string): Promise<void> => {
    for (const { name, labels, value } of (await scrape()).series) {
      if (!/_(?:total|count|sum|bucket)$/.test(name)) continue;
      const key = `${source} ${name} ${JSON.stringify(labels)}`;
      assert.ok(value >= (before.get(key) ?? 0), `${key}: ${value} after ${before.get(key)}`);
      before.set(key, value);
    }
    scrapes++;
  };
  while (!load.isDone) {
    await check(open, 'OpenTelemetry');
    await check(prom, 'prom-client');
    await setTimeout(50);
  }
  await work;
  assert.ok(scrapes > 2);
  for (const { scrape } of [open, prom]) {
    const scraped = await scrape();
    assert.equal(scraped.find('pooling_https_agent_requests_total').length, 10);
    assert.equal(scraped.sum('pooling_https_agent_requests_total'), REQUESTS);
    assert.equal(scraped.sum('pooling_https_agent_opened_connections_total'), 30);
    assert.equal(scraped.sum('pooling_https_agent_waiting_requests'), 0);
  }
});
