// Makes docs/grafana/*.json: one dashboard, for the metrics of prom-client and for those of OpenTelemetry as Prometheus stores them. They differ in
// names only. Run it by hand after a change; test/metrics sees to it that the files are those that it makes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'prettier';
import { root } from './lib/run.mjs';

/** The names of metrics and labels, by what they are called below. */
export const SOURCES = {
  prometheus: {
    title: 'pooling-https-agent',
    uid: 'pooling-https-agent',
    common: 'pooling_https_agent_',
    own: 'pooling_https_agent_',
    agent: 'agent',
    label: (name) => name,
    connectionState: 'state',
    bucketsOf: (metric, labels) => `pooling_https_agent_${metric}_seconds_bucket{${labels}}`,
  },
  opentelemetry: {
    title: 'pooling-https-agent (OpenTelemetry)',
    uid: 'pooling-https-agent-otel',
    common: 'http_client_',
    own: 'pooling_https_agent_',
    agent: 'pooling_https_agent_name',
    label: (name) => `pooling_https_agent_${name}`,
    connectionState: 'http_connection_state',
    // The Collector adds the unit to the name, and the exporter of the JavaScript SDK does not.
    bucketsOf: (metric, labels) => `{__name__=~"http_client_${metric}(_seconds)?_bucket", ${labels}}`,
  },
};

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

export function dashboard({ title, uid, common, own, agent, label, connectionState, bucketsOf }) {
  const chosen = `{job=~"$job", ${agent}=~"$agent"}`;
  const rate = (metric) => `rate(${metric}${chosen}[$__rate_interval])`;
  const total = (name) => `sum(${rate(`${own}${name}_total`)})`;
  const by = (name, key) => `sum by (${key}) (${rate(`${own}${name}_total`)})`;
  const quantile = (q, metric) =>
    `histogram_quantile(${q}, sum by (le) (rate(${bucketsOf(metric, `job=~"$job", ${agent}=~"$agent"`)}[$__rate_interval])))`;
  const quantiles = (metric) => [0.5, 0.9, 0.99].map((q) => [quantile(q, metric), `p${q * 100}`]);
  const host = 'server_address, server_port';
  const hostLegend = '{{server_address}}:{{server_port}}';

  const panels = [
    stat('Connections', 'Connections that are not closed', 'short', `sum(${own}connections${chosen})`),
    stat(
      'Waiting requests',
      'Requests that wait for a connection',
      'short',
      `sum(${own}waiting_requests${chosen})`,
    ),
    stat('Requests per second', 'Requests handed to the agent', 'reqps', total('requests')),
    stat(
      'Reused',
      'Share of the requests that were served on a connection that had served before',
      'percentunit',
      `${total('reused_requests')} / ${total('requests')}`,
    ),
    stat(
      'Time in queue, p99',
      'Of the requests that had to wait',
      's',
      quantile(0.99, 'request_time_in_queue'),
    ),
    stat(
      'Failed or refused per second',
      'Connections that could not be opened, and requests that were not allowed to wait, or to wait longer',
      'short',
      `${total('failed_connections')} + ${total('refused_requests')}`,
    ),
    series(
      'Connections by state',
      'Connections in use, free, being opened and being closed',
      'short',
      [[`sum by (${label('state')}) (${own}connections${chosen})`, `{{${label('state')}}}`]],
      { isStacked: true },
    ),
    series(
      'Requests per second, by kind',
      'All requests; and those that were served on a used connection, had to wait, or were sent again',
      'reqps',
      [
        [total('requests'), 'all'],
        [total('reused_requests'), 'on a used connection'],
        [total('queued_requests'), 'had to wait'],
        [total('replayed_requests'), 'sent again'],
      ],
    ),
    series('Waiting requests by host', 'The ten hosts for which most requests wait', 'short', [
      [`topk(10, sum by (${host}) (${own}waiting_requests${chosen}))`, hostLegend],
    ]),
    series('Time in queue', 'Of the requests that had to wait', 's', quantiles('request_time_in_queue')),
    series(
      'Handshakes per second',
      'Full handshakes, and those that resumed a TLS session',
      'ops',
      [[by('handshakes', label('kind')), `{{${label('kind')}}}`]],
      { isStacked: true },
    ),
    series('Connections opened per second', 'Steady traffic opens almost none', 'ops', [
      [total('opened_connections'), 'opened'],
    ]),
    series(
      'Connections closed per second, by reason',
      'The reasons for which connections ended',
      'ops',
      [[`${by('closed_connections', label('reason'))} > 0`, `{{${label('reason')}}}`]],
      { isStacked: true },
    ),
    series(
      'Failed and refused per second',
      'Dials that failed, by phase, and requests that were refused, by reason',
      'ops',
      [
        [`${by('failed_connections', label('phase'))} > 0`, `failed: {{${label('phase')}}}`],
        [`${by('refused_requests', label('reason'))} > 0`, `refused: {{${label('reason')}}}`],
      ],
    ),
    series('Open connections by host', 'The ten hosts with the most connections', 'short', [
      [`topk(10, sum by (${host}) (${common}open_connections${chosen}))`, hostLegend],
    ]),
    series('Idle connections by host', 'The ten hosts with the most free connections', 'short', [
      [
        `topk(10, sum by (${host}) (${common}open_connections{job=~"$job", ${agent}=~"$agent", ${connectionState}="idle"}))`,
        hostLegend,
      ],
    ]),
    series(
      'Age of connections when they end',
      'Counted from when they were ready for a request',
      's',
      quantiles('connection_duration'),
    ),
  ];

  return {
    title,
    uid,
    description: 'The connection pools of https agents: connections, queues, reuse, and failures.',
    tags: ['nodejs', 'https', 'connections'],
    editable: true,
    graphTooltip: 1,
    refresh: '10s',
    schemaVersion: 39,
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
        variable('job', 'Job', `label_values(${own}requests_total, job)`),
        variable('agent', 'Agent', `label_values(${own}requests_total{job=~"$job"}, ${agent})`),
      ],
    },
    panels: arranged(panels),
  };
}

function variable(name, label, query) {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
  };
}

function targets(queries) {
  return queries.map(([expr, legendFormat], index) => ({
    refId: String.fromCharCode(65 + index),
    datasource: DATASOURCE,
    expr,
    legendFormat,
  }));
}

function stat(title, description, unit, expr) {
  return {
    type: 'stat',
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: { reduceOptions: { calcs: ['lastNotNull'] }, graphMode: 'area', colorMode: 'none' },
    targets: targets([[expr, title]]),
  };
}

function series(title, description, unit, queries, { isStacked = false } = {}) {
  return {
    type: 'timeseries',
    title,
    description,
    datasource: DATASOURCE,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        custom: {
          fillOpacity: isStacked ? 40 : 10,
          lineWidth: 1,
          showPoints: 'never',
          stacking: { mode: isStacked ? 'normal' : 'none' },
        },
      },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom' },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: targets(queries),
  };
}

/** Single values side by side, curves in two columns below. */
function arranged(panels) {
  const stats = panels.filter(({ type }) => type === 'stat');
  const curves = panels.filter(({ type }) => type !== 'stat');
  const w = 24 / stats.length;
  const places = [
    ...stats.map((_, index) => ({ h: 4, w, x: index * w, y: 0 })),
    ...curves.map((_, index) => ({ h: 8, w: 12, x: 12 * (index % 2), y: 4 + 8 * Math.floor(index / 2) })),
  ];
  return [...stats, ...curves].map((panel, index) =>
    Object.assign(panel, { id: index + 1, gridPos: places[index] }),
  );
}

export function textOf(source) {
  return format(JSON.stringify(dashboard(source)), { parser: 'json', printWidth: 110 });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const directory = join(root, 'docs/grafana');
  mkdirSync(directory, { recursive: true });
  for (const [name, source] of Object.entries(SOURCES))
    writeFileSync(join(directory, `${name}.json`), await textOf(source));
}
