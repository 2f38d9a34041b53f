/** The instruments of one meter, and the agents that they report. */
import type {
  Attributes,
  BatchObservableResult,
  Histogram,
  Meter,
  Observable,
  ObservableCounter,
} from '@opentelemetry/api';
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
import type { HostLabel } from '../telemetry/host-labels.js';
import { Names } from '../telemetry/names.js';
import type { Observed } from '../telemetry/observed.js';
import type { AgentStats } from '../index.js';

const PREFIX = 'pooling_https_agent.';
const NAME = `${PREFIX}name`;

interface Member {
  readonly agent: Observed;
  readonly name: string;
  /** Ends the report. */
  readonly stop: () => void;
}

export class Instruments {
  readonly #meter: Meter;
  /** The option `maxHosts`. */
  readonly maxHosts: number;
  readonly #hosts: HostLabels;
  readonly #names = new Names();
  readonly #agents: Map<object, Member> = new Map();
  readonly #counters: readonly ObservableCounter[];
  readonly #connections: Observable;
  readonly #open: Observable;
  readonly #waiting: Observable;
  readonly #lifetime: Histogram;
  readonly #timeInQueue: Histogram;
  readonly #observables: Observable[];
  /** The last values of series that come and go: when one is gone, 0 has to be reported once. */
  #told: Map<string, Told> = new Map();
  #isCollected = false;

  constructor(meter: Meter, maxHosts: number) {
    this.#meter = meter;
    this.maxHosts = maxHosts;
    this.#hosts = new HostLabels(maxHosts);
    this.#counters = COUNTERS.map(({ name, unit, help }) =>
      meter.createObservableCounter(PREFIX + name, { unit, description: help }),
    );
    this.#connections = meter.createObservableUpDownCounter(PREFIX + CONNECTIONS.name, {
      unit: CONNECTIONS.unit,
      description: CONNECTIONS.help,
    });
    this.#open = meter.createObservableUpDownCounter('http.client.open_connections', {
      unit: OPEN_CONNECTIONS.unit,
      description: OPEN_CONNECTIONS.help,
    });
    this.#waiting = meter.createObservableUpDownCounter(PREFIX + WAITING.name, {
      unit: WAITING.unit,
      description: WAITING.help,
    });
    this.#lifetime = meter.createHistogram('http.client.connection.duration', {
      unit: 's',
      description: CONNECTION_DURATION.help,
      advice: { explicitBucketBoundaries: CONNECTION_DURATION.buckets },
    });
    this.#timeInQueue = meter.createHistogram('http.client.request.time_in_queue', {
      unit: 's',
      description: TIME_IN_QUEUE.help,
      advice: { explicitBucketBoundaries: TIME_IN_QUEUE.buckets },
    });
    this.#observables = [...this.#counters, this.#connections, this.#open, this.#waiting];
  }

  add(agent: Observed): () => void {
    const identity = identityOf(agent);
    const known = this.#agents.get(identity);
    if (known) return known.stop;
    const name = this.#names.claim(agent.name);
    const ofHost = (host: string): Attributes => attributesOf(name, this.#hosts.of(host), schemeOf(agent));
    const stopListening = observationOf(agent)?.listen({
      waited: (host, ms) => this.#timeInQueue.record(ms / 1000, ofHost(host)),
      lived: (host, ms) => this.#lifetime.record(ms / 1000, ofHost(host)),
    });
    const stop = (): void => {
      if (this.#agents.get(identity)?.stop !== stop) return;
      stopListening?.();
      this.#agents.delete(identity);
      this.#names.release(name);
    };
    this.#agents.set(identity, { agent, name, stop });
    this.#collect();
    return stop;
  }

  #collect(): void {
    if (this.#isCollected) return;
    this.#isCollected = true;
    this.#meter.addBatchObservableCallback(this.#report, this.#observables);
  }

  readonly #report = (result: BatchObservableResult): void => {
    const before = this.#told;
    this.#told = new Map();
    const silent = new Set<unknown>();
    for (const { agent, name } of this.#agents.values()) {
      const stats = statsOf(agent);
      if (stats) this.#reportAgent(result, name, stats, schemeOf(agent));
      else silent.add(name);
    }
    for (const { value, instrument, attributes } of this.#told.values())
      result.observe(instrument, value, attributes);
    for (const [key, told] of before) {
      const { value, instrument, attributes } = told;
      if (value === 0 || this.#told.has(key)) continue;
      // The `stats()` of this agent has thrown, so it is not known which series are gone.
      if (silent.has(attributes[NAME])) this.#told.set(key, told);
      else result.observe(instrument, 0, attributes);
    }
    if (this.#agents.size > 0) return;
    // The connections of the last agent are gone, and that has just been reported.
    this.#isCollected = false;
    this.#meter.removeBatchObservableCallback(this.#report, this.#observables);
  };

  /** @param scheme of hosts whose names tell none */
  #reportAgent(result: BatchObservableResult, name: string, stats: AgentStats, scheme: string): void {
    for (const [index, { by, read }] of COUNTERS.entries()) {
      const instrument = this.#counters[index] as ObservableCounter;
      const value = read(stats);
      if (typeof value === 'number') result.observe(instrument, value, { [NAME]: name });
      else {
        for (const [word, count] of Object.entries(value))
          result.observe(instrument, count, { [NAME]: name, [PREFIX + by]: word });
      }
    }
    for (const state of CONNECTIONS.states)
      this.#add(this.#connections, stats[state], { [NAME]: name, [PREFIX + CONNECTIONS.by]: state });
    const hosts = Object.entries<CountsByHost>(stats.hosts ?? {}).map(
      ([host, counts]) => [attributesOf(name, this.#hosts.of(host), scheme), counts] as const,
    );
    const rest = unlisted(stats);
    if (rest) hosts.push([attributesOf(name, OTHER, scheme), rest]);
    for (const [attributes, counts] of hosts) {
      this.#add(this.#waiting, counts.waiting, attributes);
      for (const state of OPEN_CONNECTIONS.states)
        this.#add(this.#open, counts[state], { ...attributes, 'http.connection.state': state });
    }
  }

  /** Hosts without labels of their own add up. */
  #add(instrument: Observable, count: number, attributes: Attributes): void {
    const key = JSON.stringify([this.#observables.indexOf(instrument), attributes]);
    const value = (this.#told.get(key)?.value ?? 0) + count;
    this.#told.set(key, { value, instrument, attributes });
  }
}

/** Of hosts whose names tell none. */
function schemeOf({ protocol = 'https:' }: Observed): string {
  return protocol.replace(/:$/, '');
}

function attributesOf(name: string, label: HostLabel, scheme: string): Attributes {
  return {
    [NAME]: name,
    'server.address': label.address,
    ...(label !== OTHER && { 'server.port': label.port }),
    'url.scheme': label.scheme ?? scheme,
  };
}

interface Told {
  readonly value: number;
  readonly instrument: Observable;
  readonly attributes: Attributes;
}
