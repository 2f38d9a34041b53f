/** The Grafana dashboards in docs/: every metric and every label that they ask for is there, in a real scrape. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { observe } from '../../src/opentelemetry/index.js';
import { register } from '../../src/prometheus/index.js';
import { hostStats, pretendAgent } from '../support/pretend-agent.js';
import { openTelemetry, promClient, Scrape } from './scrape.js';
import type { Series } from './scrape.js';

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** From build/test/metrics. */
const root = new URL('../../../', import.meta.url);

/** Words that are no name of a metric or of a label. */
const WORDS = new Set(
  'sum by le rate topk histogram_quantile label_values job __rate_interval agent idle'.split(' '),
);

function check(dashboard: Dashboard, scraped: readonly Series[]): void {
  const metrics = new Set(scraped.map(({ name }) => name));
  const labels = new Set(scraped.flatMap((series) => Object.keys(series.labels)));
  const used = new Set<string>();
  const queries = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.flatMap(({ definition }) => definition ?? []),
  ];
  for (const written of queries) {
    // With the unit in the name, or without it.
    const query = written.replaceAll(/\{__name__=~"(\w+)\(_seconds\)\?(\w+)", /g, '$1$2{');
    const names = [...query.matchAll(/[a-z_]\w*/gi)].map(([name]) => name);
    const found = names.filter((name) => metrics.has(name));
    assert.ok(found.length > 0, `asks for no metric that there is: ${query}`);
    for (const name of found) used.add(name);
    for (const name of names)
      assert.ok(WORDS.has(name) || metrics.has(name) || labels.has(name), `${name} in ${query}`);
  }
  // Whoever adds a metric adds it to the dashboard, too.
  const shown = [...metrics].filter((name) => !/_(?:count|sum|bucket)$|^target_info$/.test(name));
  assert.deepEqual(
    shown.filter((name) => !used.has(name)),
    [],
  );
  assert.equal(new Set(dashboard.panels.map(({ title }) => title)).size, dashboard.panels.length);
}

const agent = pretendAgent('api', { 'a.example:443': hostStats({ active: 1 }) });

test('the dashboard for prom-client', async (t) => {
  const { into: registry, scrape } = await promClient(t);
  register(agent, { registry });
  check(read('prometheus'), (await scrape()).series);
});

test('the dashboard for OpenTelemetry', async (t) => {
  const { into: meter, scrape } = await openTelemetry(t);
  observe(agent, meter);
  // The SDK shows histograms only when there is something in them. That they have these names is tested with real agents.
  const text = ['connection_duration', 'request_time_in_queue']
    .map((name) => `http_client_${name}_bucket{pooling_https_agent_name="api",le="1"} 1`)
    .join('\n');
  check(read('opentelemetry'), [...(await scrape()).series, ...new Scrape(text).series]);
});

test('the dashboards are those that the script makes', async () => {
  const script: {
    SOURCES: Record<string, unknown>;
    textOf: (source: unknown) => Promise<string>;
  } = await import(new URL('scripts/make-dashboards.mjs', root).href);
  for (const [name, source] of Object.entries(script.SOURCES))
    assert.equal(await script.textOf(source), textOf(name), `run node scripts/make-dashboards.mjs`);
});

function textOf(name: string): string {
  return readFileSync(new URL(`docs/grafana/${name}.json`, root), 'utf8');
}

function read(name: string): Dashboard {
  return JSON.parse(textOf(name)) as Dashboard;
}
