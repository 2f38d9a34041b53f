/**
 * The metrics of one registry and prefix, and the agents that they report. All values except those of histograms are read when they are scraped, and
 * all values of a scrape at the same moment.
 */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import {
  CONNECTION_DURATION,
  CONNECTIONS,
  COUNTERS,
  OPEN_CONNECTIONS,
  TIME_IN_QUEUE,
  WAITING,
} from '../telemetry/catalogue.js';
import { statsOf, unlisted } from '../telemetry/asking.js';
import type { CountsByHost } from '../telemetry/asking.js';
import { identityOf, observationOf } from '../telemetry/observed.js';
import { HostLabels, OTHER } from '../telemetry/host-labels.js';
import { Names } from '../telemetry/names.js';
import type { Observed } from '../telemetry/observed.js';
import type { AgentStats } from '../index.js';

type Metric = Counter | Gauge | Histogram;
type Labels = Record<string, string>;

interface Member {
  readonly agent: Observed;
  readonly name: string;
  readonly hosts: HostLabels;
  readonly stop: () => void;
}

interface Said {
  readonly stats: AgentStats;
  /** The counts of hosts that are not listed. */
  readonly rest: CountsByHost | undefined;
}

export class Exposition {
  readonly #registry: Registry;
  /** The option `maxHosts`. */
  readonly maxHosts: number;
  readonly #metrics: Metric[] = [];
  readonly #timeInQueue: Histogram;
  readonly #lifetime: Histogram;
  readonly #members: Map<object, Member> = new Map();
  readonly #names = new Names();
  /** The statistics of all agents in this turn of the event loop, in which all metrics are collected. */
  #said: Map<Member, Said> | undefined;

  /** @throws if the registry has a metric of one of these names; then none of ours is added */
  constructor(registry: Registry, prefix: string, maxHosts: number) {
    this.#registry = registry;
    this.maxHosts = maxHosts;
    const own = { registers: [] };
    for (const { name, help, by, read } of COUNTERS) {
      const labelNames = by === undefined ? ['agent'] : ['agent', by];
      const collect = this.#collector((counter: Counter, { name: agent }, stats) => {
        const value = read(stats);
        if (typeof value === 'number') counter.inc({ agent }, value);
        else
          for (const [word, count] of Object.entries(value))
            counter.inc({ agent, [String(by)]: word }, count);
      });
      this.#metrics.push(new Counter({ ...own, name: `${prefix}${name}_total`, help, labelNames, collect }));
    }
    this.#metrics.push(
      new Gauge({
        ...own,
        name: prefix + CONNECTIONS.name,
        help: CONNECTIONS.help,
        labelNames: ['agent', CONNECTIONS.by],
        collect: this.#collector((gauge: Gauge, { name: agent }, stats) => {
          for (const state of CONNECTIONS.states) gauge.set({ agent, state }, stats[state]);
        }),
      }),
      new Gauge({
        ...own,
        name: `${prefix}open_connections`,
        help: OPEN_CONNECTIONS.help,
        labelNames: ['agent', 'server_address', 'server_port', 'state'],
        collect: this.#collector((gauge: Gauge, member, { hosts = {} }, rest) => {
          for (const [host, counts] of Object.entries(hosts)) {
            for (const state of OPEN_CONNECTIONS.states)
              gauge.inc({ ...ofHost(member, host), state }, counts[state]);
          }
          if (!rest) return;
          for (const state of OPEN_CONNECTIONS.states) gauge.inc({ ...others(member), state }, rest[state]);
        }),
      }),
      new Gauge({
        ...own,
        name: prefix + WAITING.name,
        help: WAITING.help,
        labelNames: ['agent', 'server_address', 'server_port'],
        collect: this.#collector((gauge: Gauge, member, { hosts = {} }, rest) => {
          for (const [host, { waiting }] of Object.entries(hosts)) gauge.inc(ofHost(member, host), waiting);
          if (rest) gauge.inc(others(member), rest.waiting);
        }),
      }),
    );
    const labelNames = ['agent'];
    this.#timeInQueue = new Histogram({
      ...own,
      name: `${prefix}request_time_in_queue_seconds`,
      ...TIME_IN_QUEUE,
      labelNames,
    });
    this.#lifetime = new Histogram({
      ...own,
      name: `${prefix}connection_duration_seconds`,
      ...CONNECTION_DURATION,
      labelNames,
    });
    this.#metrics.push(this.#timeInQueue, this.#lifetime);
    this.#publish();
  }

  #publish(): void {
    const published: Metric[] = [];
    try {
      for (const metric of this.#metrics) {
        this.#registry.registerMetric(metric);
        published.push(metric);
      }
    } catch (error) {
      for (const metric of published) this.#registry.removeSingleMetric(nameOf(metric));
      throw error;
    }
  }

  /** Whether a metric, or all, were taken out of the registry. */
  get wasCleared(): boolean {
    return this.#metrics.some((metric) => this.#registry.getSingleMetric(nameOf(metric)) !== metric);
  }

  /** Takes all metrics out of the registry, and forgets all agents. */
  end(): void {
    for (const { stop } of this.#members.values()) stop();
    for (const metric of this.#metrics) {
      const name = nameOf(metric);
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
    }
  }

  add(agent: Observed): () => void {
    const identity = identityOf(agent);
    const known = this.#members.get(identity);
    if (known) return known.stop;
    const name = this.#names.claim(agent.name);
    const labels = { agent: name };
    // Series exist from the beginning: a series that begins with its first value has no rate.
    this.#timeInQueue.zero(labels);
    this.#lifetime.zero(labels);
    const stopListening = observationOf(agent)?.listen({
      waited: (_host, ms) => this.#timeInQueue.observe(labels, ms / 1000),
      lived: (_host, ms) => this.#lifetime.observe(labels, ms / 1000),
    });
    const stop = (): void => {
      if (this.#members.get(identity)?.stop !== stop) return;
      stopListening?.();
      this.#timeInQueue.remove(labels);
      this.#lifetime.remove(labels);
      this.#members.delete(identity);
      this.#names.release(name);
    };
    this.#members.set(identity, { agent, name, hosts: new HostLabels(this.maxHosts), stop });
    return stop;
  }

  /** prom-client calls it with the metric as `this`, at each scrape. */
  #collector<M extends Counter | Gauge>(
    tell: (metric: M, member: Member, stats: AgentStats, rest: CountsByHost | undefined) => void,
  ): (this: M) => void {
    const said = (): Map<Member, Said> => this.#ask();
    return function collect(this: M): void {
      // All present values are set again; series that are gone are not.
      this.reset();
      for (const [member, { stats, rest }] of said()) tell(this, member, stats, rest);
    };
  }

  #ask(): Map<Member, Said> {
    if (this.#said) return this.#said;
    const said = new Map<Member, Said>();
    for (const member of this.#members.values()) {
      const stats = statsOf(member.agent);
      if (!stats) continue;
      member.hosts.keep(stats.hosts ?? {});
      said.set(member, { stats, rest: unlisted(stats) });
    }
    // All metrics of a scrape are collected at once, before any promise goes on.
    void Promise.resolve().then(() => (this.#said = undefined));
    return (this.#said = said);
  }
}

function ofHost({ name, hosts }: Member, host: string): Labels {
  const label = hosts.of(host);
  if (label === OTHER) return others({ name });
  return { agent: name, server_address: label.address, server_port: String(label.port) };
}

/** The labels of hosts without labels of their own. */
function others({ name }: { readonly name: string }): Labels {
  return { agent: name, server_address: OTHER.address, server_port: '' };
}

/** prom-client's types lack the name. */
function nameOf(metric: Metric): string {
  return (metric as unknown as { name: string }).name;
}
