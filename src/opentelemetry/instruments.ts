/** The instruments of one meter, and the agents that they tell of. */
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
import { observationOf } from '../telemetry/observed.js';
import { HostLabels, OTHER } from '../telemetry/host-labels.js';
import type { HostLabel } from '../telemetry/host-labels.js';
import { Names } from '../telemetry/names.js';
import type { Observed } from '../telemetry/observed.js';
import type { AgentStats } from '../index.js';

const PREFIX = 'pooling_https_agent.';
const NAME = `${PREFIX}name`;

interface Member {
  readonly name: string;
  /** Ends it. */
  readonly stop: () => void;
}

export class Instruments {
  readonly #meter: Meter;
  /** The option. */
  readonly maxHosts: number;
  readonly #hosts: HostLabels;
  readonly #names = new Names();
  readonly #agents: Map<Observed, Member> = new Map();
  readonly #counters: readonly ObservableCounter[];
  readonly #connections: Observable;
  readonly #open: Observable;
  readonly #waiting: Observable;
  readonly #lifetime: Histogram;
  readonly #timeInQueue: Histogram;
  readonly #observables: Observable[];
  /** The values that were told last of things that come and go: when they are gone, that has to be told once, too. */
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
    const known = this.#agents.get(agent);
    if (known) return known.stop;
    const name = this.#names.claim(agent.name);
    const stopListening = observationOf(agent)?.listen({
      waited: (host, ms) => this.#timeInQueue.record(ms / 1000, this.#ofHost(name, host)),
      lived: (host, ms) => this.#lifetime.record(ms / 1000, this.#ofHost(name, host)),
    });
    const stop = (): void => {
      if (this.#agents.get(agent)?.stop !== stop) return;
      stopListening?.();
      this.#agents.delete(agent);
      this.#names.release(name);
    };
    this.#agents.set(agent, { name, stop });
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
    for (const [agent, { name }] of this.#agents) {
      const stats = statsOf(agent);
      if (stats) this.#reportAgent(result, name, stats);
    }
    for (const { value, instrument, attributes } of this.#told.values())
      result.observe(instrument, value, attributes);
    for (const [key, { value, instrument, attributes }] of before) {
      if (value !== 0 && !this.#told.has(key)) result.observe(instrument, 0, attributes);
    }
    if (this.#agents.size > 0) return;
    // The last agent's connections are gone, and that was told just now.
    this.#isCollected = false;
    this.#meter.removeBatchObservableCallback(this.#report, this.#observables);
  };

  #reportAgent(result: BatchObservableResult, name: string, stats: AgentStats): void {
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
      ([host, counts]) => [this.#ofHost(name, host), counts] as const,
    );
    const rest = unlisted(stats);
    if (rest) hosts.push([attributesOf(name, OTHER), rest]);
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

  #ofHost(name: string, host: string): Attributes {
    return attributesOf(name, this.#hosts.of(host));
  }
}

function attributesOf(name: string, label: HostLabel): Attributes {
  return {
    [NAME]: name,
    'server.address': label.address,
    ...(label !== OTHER && { 'server.port': label.port }),
    'url.scheme': 'https',
  };
}

interface Told {
  readonly value: number;
  readonly instrument: Observable;
  readonly attributes: Attributes;
}
