/** `pooling-https-agent/prometheus`: what agents do, as metrics of prom-client. */
import { register as defaultRegistry } from 'prom-client';
import type { Registry } from 'prom-client';
import { invalidType, invalidValue } from '../errors.js';
import { isObserved } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';
import { atLeastZero, optional, optionsObject } from '../validate.js';
import { Exposition } from './exposition.js';

export interface RegisterOptions {
  /** Where the metrics are put. Default: prom-client's own `register`. */
  readonly registry?: Registry | undefined;
  /** The beginning of their names. Default: `'pooling_https_agent_'`. */
  readonly prefix?: string | undefined;
  /**
   * Hosts that are told apart by `server_address` and `server_port` at a time. All others are told of together, as `_OTHER`, because each host
   * costs memory wherever metrics are kept. Default: 100, or what was given first for this registry and prefix; another value is refused.
   */
  readonly maxHosts?: number | undefined;
}

/** Symbol.for: two builds of this package in one process share what they have put into a registry. */
const kExpositions = Symbol.for('pooling-https-agent.expositions.1');

/**
 * Puts the metrics of `agent` into a registry, until the function that it returns is called. Any number of agents can share a registry and a
 * prefix: the label `agent` has their names. Asked once more for the same agent, registry and prefix, it begins nothing new, and returns the same
 * function. After `registry.clear()` agents have to be registered anew.
 *
 * Scrapes read `agent.stats()`; requests cost nothing more than before, unless they have to wait.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; prom-client's error where the registry has a metric of that name
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
  // Of several values only one could be obeyed.
  if (maxHosts !== undefined && maxHosts !== exposition.maxHosts)
    throw invalidValue('options.maxHosts', `${exposition.maxHosts}, as where it was first given`, maxHosts);
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
