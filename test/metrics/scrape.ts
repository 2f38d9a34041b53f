/** Metrics as Prometheus gets them: over HTTP, in its text format. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import type { Meter } from '@opentelemetry/api';
import { Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface Series {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export class Scrape {
  readonly series: readonly Series[];
  /** Kinds of metrics by name: `counter`, `gauge`, `histogram`. */
  readonly types: ReadonlyMap<string, string>;

  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '');
    this.series = lines.filter((line) => !line.startsWith('#')).map(parse);
    this.types = new Map(
      lines.flatMap((line) => {
        const [, name, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
        return name !== undefined && type !== undefined ? [[name, type]] : [];
      }),
    );
  }

  /** Series of that name that have at least these labels. */
  find(name: string, labels: Labels = {}): Series[] {
    return this.series.filter(
      (series) =>
        series.name === name && Object.entries(labels).every(([key, value]) => series.labels[key] === value),
    );
  }

  sum(name: string, labels: Labels = {}): number {
    return this.find(name, labels).reduce((sum, { value }) => sum + value, 0);
  }

  /** The one series that has these labels; fails if there are none or several. */
  value(name: string, labels: Labels = {}): number {
    const found = this.find(name, labels);
    assert.equal(found.length, 1, `${name} ${JSON.stringify(labels)}: ${found.length} series`);
    return found[0]?.value ?? NaN;
  }
}

function parse(line: string): Series {
  const [, name = '', list = '', value = ''] = /^([\w:]+)(?:\{(.*)\})? (\S+)(?: \d+)?$/.exec(line) ?? [];
  assert.notEqual(name, '', line);
  const labels = [...list.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [
    key,
    text.replaceAll(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
  ]);
  return {
    name,
    labels: Object.fromEntries(labels) as Labels,
    value: Number(value.replace('Inf', 'Infinity')),
  };
}

/** Serves metrics, as programs do, and scrapes them. */
async function scraper(t: TestContext, listener: RequestListener): Promise<() => Promise<Scrape>> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  t.after(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return () =>
    new Promise((resolve, reject) => {
      const req = get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (res) => {
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        res.on('end', () => resolve(new Scrape(text)));
      });
      req.on('error', reject);
    });
}

export interface Collected<T> {
  readonly into: T;
  readonly scrape: () => Promise<Scrape>;
}

/** OpenTelemetry's SDK, with its Prometheus exporter. */
export async function openTelemetry(t: TestContext): Promise<Collected<Meter>> {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const provider = new MeterProvider({ readers: [exporter] });
  t.after(() => provider.shutdown());
  const scrape = await scraper(t, (req, res) => exporter.getMetricsRequestHandler(req, res));
  return { into: provider.getMeter('test'), scrape };
}

export async function promClient(t: TestContext, registry = new Registry()): Promise<Collected<Registry>> {
  const scrape = await scraper(t, (_req, res) => {
    const send = async (): Promise<void> => {
      res.setHeader('content-type', registry.contentType);
      res.end(await registry.metrics());
    };
    send().catch((error: unknown) => res.destroy(error as Error));
  });
  return { into: registry, scrape };
}
