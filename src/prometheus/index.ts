/** `pooling-https-agent/prometheus`: agents as metrics of prom-client. */
import { register as defaultRegistry } from 'prom-client';
import type { Registry } from 'prom-client';
import { invalidType, invalidValue } from '../errors.js';
import { isObserved } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';
import { atLeastZero, optional, optionsObject } from '../validate.js';
import { Exposition } from './exposition.js';

export type { Observed } from '../telemetry/observed.js';

/** The options of `register()`. */
export interface RegisterOptions {
  /** The registry for the metrics. Default: prom-client's own `register`. */
  readonly registry?: Registry | undefined;
  /** The prefix of the metrics' names. Default: `'pooling_https_agent_'`. */
  readonly prefix?: string | undefined;
  /**
   * Hosts that have labels of their own at a time, `server_address` and `server_port`. All others are reported together, as `_OTHER`, because each host
   * costs memory wherever metrics are kept. Default: 100, or the first value that was given for this registry and prefix; another one is refused.
   */
  readonly maxHosts?: number | undefined;
}

/** `Symbol.for`, so that two builds of this package in one process share the metrics of a registry. */
const kExpositions = Symbol.for('pooling-https-agent.expositions.1');

/**
 * Puts the metrics of `agent` into a registry, until the returned function is called. Any number of agents can share a registry and a
 * prefix: the label `agent` has their names. A second call for the same agent, registry and prefix returns the same function. After
 * `registry.clear()` agents have to be registered again.
 *
 * Scrapes read `agent.stats()`. Only requests that have to wait cost a little more.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; prom-client's error if the registry has a metric of that name
 */
export function register(agent: Observed, options?: RegisterOptions | null): () => void {
  if (!isObserved(agent)) throw invalidType('agent', 'a PoolingAgent', agent);
  const given = optionsObject(options);
  const registry = optional(given, 'registry', registryValue, defaultRegistry);
  const prefix = optional(given, 'prefix', prefixValue, 'pooling_https_agent_');
  const maxHosts = optional(given, 'maxHosts', atLeastZero, undefined);
  const expositions = expositionsOf(registry);
  let exposition = expositions.get(prefix);
  if (exposition?.wasCleared) {
    exposition.end();
    exposition = undefined;
  }
  exposition ??= new Exposition(registry, prefix, maxHosts ?? DEFAULT_MAX_HOSTS);
  // Only one value can hold. An exposition of an older build may not have this field.
  const obeyed = exposition.maxHosts as number | undefined;
  if (maxHosts !== undefined && obeyed !== undefined && maxHosts !== obeyed)
    throw invalidValue('options.maxHosts', `${obeyed}, as where it was first given`, maxHosts);
  expositions.set(prefix, exposition);
  return exposition.add(agent);
}

const DEFAULT_MAX_HOSTS = 100;

function expositionsOf(
  registry: Registry & { [kExpositions]?: Map<string, Exposition> },
): Map<string, Exposition> {
  const known = registry[kExpositions];
  if (known) return known;
  const expositions = new Map<string, Exposition>();
  Object.defineProperty(registry, kExpositions, { value: expositions });
  return expositions;
}

function registryValue(name: string, value: unknown): Registry {
  const isRegistry =
    typeof value === 'object' &&
    value !== null &&
    'registerMetric' in value &&
    typeof value.registerMetric === 'function';
  if (!isRegistry) throw invalidType(name, 'a Registry of prom-client', value);
  return value as Registry;
}

function prefixValue(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  if (!/^(?:[a-z_:][\w:]*)?$/i.test(value))
    throw invalidValue(name, 'letters, digits, underscores and colons, and begin with no digit', value);
  return value;
}
