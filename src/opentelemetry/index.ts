/**
 * `pooling-https-agent/opentelemetry`: agents as metrics of OpenTelemetry. Names are those of the semantic conventions if these have one
 * (`http.client.*`, as in .NET), and begin with `pooling_https_agent.` otherwise. Only types of `@opentelemetry/api` are used.
 */
import type { Meter } from '@opentelemetry/api';
import { invalidType, invalidValue } from '../errors.js';
import { atLeastZero, optional, optionsObject } from '../validate.js';
import { isObserved } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';
import { Instruments } from './instruments.js';

export type { Observed } from '../telemetry/observed.js';

/** The options of `observe()`. */
export interface ObserveOptions {
  /**
   * Hosts that have labels of their own, `server.address` and `server.port`: the first ones of the meter. All others are reported together, as `_OTHER`,
   * because each host costs memory wherever metrics are kept. Default: 100, or the first value that was given for this meter; another one is refused.
   */
  readonly maxHosts?: number | undefined;
}

/** `Symbol.for`, so that two builds of this package in one process share the instruments of a meter. */
const kInstruments = Symbol.for('pooling-https-agent.instruments.1');

/**
 * Reports `agent` by `meter` until the returned function is called. One meter can report any number of agents, each by its name
 * (`pooling_https_agent.name`). A second call for the same agent and meter returns the same function.
 *
 * The meter reads `agent.stats()` when it collects. Only requests that have to wait cost a little more.
 *
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`
 */
export function observe(agent: Observed, meter: Meter, options?: ObserveOptions | null): () => void {
  if (!isObserved(agent)) throw invalidType('agent', 'a PoolingAgent', agent);
  if (!isMeter(meter)) throw invalidType('meter', 'a Meter of @opentelemetry/api', meter);
  const maxHosts = optional(optionsObject(options), 'maxHosts', atLeastZero, undefined);
  const holder = meter as Meter & { [kInstruments]?: Instruments };
  if (!holder[kInstruments]) {
    // Not enumerable, for code that lists the properties of a meter.
    Object.defineProperty(meter, kInstruments, {
      value: new Instruments(meter, maxHosts ?? DEFAULT_MAX_HOSTS),
    });
  }
  const instruments = holder[kInstruments] as Instruments;
  // Only one value can hold. Instruments of an older build may not have this field.
  const obeyed = instruments.maxHosts as number | undefined;
  if (maxHosts !== undefined && obeyed !== undefined && maxHosts !== obeyed)
    throw invalidValue('options.maxHosts', `${obeyed}, as where it was first given`, maxHosts);
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
