/**
 * `pooling-https-agent/opentelemetry`: what agents do, as metrics of OpenTelemetry. Names are those of the semantic conventions where these know the
 * thing (`http.client.*`, as .NET has them), and begin with `pooling_https_agent.` otherwise. Of `@opentelemetry/api` only types are used.
 */
import type { Meter } from '@opentelemetry/api';
import { invalidType, invalidValue } from '../errors.js';
import { atLeastZero, optional, optionsObject } from '../validate.js';
import { isObserved } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';
import { Instruments } from './instruments.js';

export interface ObserveOptions {
  /**
   * Hosts that are told apart by `server.address` and `server.port`: the first ones that the meter hears of. All others are told of together,
   * as `_OTHER`, because each host costs memory wherever metrics are kept. Default: 100, or what was given first for this meter; another value is refused.
   */
  readonly maxHosts?: number | undefined;
}

/** Symbol.for: two builds of this package in one process share what they have put into a meter. */
const kInstruments = Symbol.for('pooling-https-agent.instruments.1');

/**
 * Reports `agent` by `meter` until the function that it returns is called. Any number of agents can be reported by one meter; each is told by its
 * name (`pooling_https_agent.name`). Asked once more for the same agent and meter, it begins nothing new, and returns the same function.
 *
 * The meter reads `agent.stats()` when it collects; requests cost nothing more than before, unless they have to wait.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export function observe(agent: Observed, meter: Meter, options?: ObserveOptions | null): () => void {
  if (!isObserved(agent)) throw invalidType('agent', 'a PoolingAgent', agent);
  if (!isMeter(meter)) throw invalidType('meter', 'a Meter of @opentelemetry/api', meter);
  const maxHosts = optional(optionsObject(options), 'maxHosts', atLeastZero, undefined);
  const holder = meter as Meter & { [kInstruments]?: Instruments };
  if (!holder[kInstruments]) {
    // Not for those who list what a meter has.
    Object.defineProperty(meter, kInstruments, {
      value: new Instruments(meter, maxHosts ?? DEFAULT_MAX_HOSTS),
    });
  }
  const instruments = holder[kInstruments] as Instruments;
  // Of several values only one could be obeyed.
  if (maxHosts !== undefined && maxHosts !== instruments.maxHosts)
    throw invalidValue('options.maxHosts', `${instruments.maxHosts}, as where it was first given`, maxHosts);
  return instruments.add(agent);
}

const DEFAULT_MAX_HOSTS = 100;

function isMeter(value: unknown): value is Meter {
  return (
    typeof value === 'object' &&
    value !== null &&
    'addBatchObservableCallback' in value &&
    typeof value.addBatchObservableCallback === 'function'
  );
}
