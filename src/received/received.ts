/**
 * Describes a refused value for its error. A key, a passphrase or a ticket may be given for the wrong option, or under a misspelt name. So values are printed
 * only for the pool's own options, which are counts, times and words. For every other option the error shows the type of the value.
 */
import { inspect } from 'node:util';

/** The options whose values are no secret. */
const PUBLIC: ReadonlySet<string> = new Set([
  'acquireTimeout',
  'agentKeepAliveTimeoutBuffer',
  'binding',
  'bodyTimeout',
  'connectTimeout',
  'defaultPort',
  'eagerContext',
  'fairness',
  'follow',
  'headersTimeout',
  'idleTimeout',
  'keepAlive',
  'keepAliveMsecs',
  'keepAliveTimeoutBuffer',
  'leakDetectionThreshold',
  'length',
  'max',
  'maxCachedSessions',
  'maxEntries',
  'maxFreeSockets',
  'maxHeaderSize',
  'maxIdleTimeout',
  'maxQueueSize',
  'maxRequestsPerSocket',
  'maxResponseSize',
  'maxSecureContexts',
  'maxSocketAge',
  'maxSockets',
  'maxStale',
  'maxTicketsPerIdentity',
  'maxTotalFreeSockets',
  'maxTotalQueueSize',
  'maxTotalSockets',
  'methods',
  'minFreeSockets',
  'noDelay',
  'pattern',
  'priority',
  'priorityHeader',
  'protocol',
  'replay',
  'reserve',
  'rotate',
  'scheduling',
  'socketTimeout',
  'ticketReuse',
  'timeout',
  'trimInterval',
  'ttl',
  'validateAfterIdle',
  'weight',
]);

/** Longer than any sensible value of these options. */
const MAX_LENGTH = 64;

/** `Received type number (-1)`, `Received an instance of Object`: Node's form. */
export function receivedType(name: string, actual: unknown): string {
  const type = typeOf(actual);
  return isShown(name, actual) ? `Received ${type} (${inspect(actual)})` : `Received ${type}`;
}

/** `Received -1`. */
export function receivedValue(name: string, actual: unknown): string {
  return isShown(name, actual) ? `Received ${inspect(actual)}` : `Received ${typeOf(actual)}`;
}

/** The type of a value, and nothing of its content. The value may be anything, and its getters may throw. */
export function typeOf(actual: unknown): string {
  if (actual === null || typeof actual === 'boolean' || actual === undefined) return String(actual);
  try {
    if (typeof actual === 'function') return `function ${brief(actual.name)}`.trimEnd();
    if (typeof actual !== 'object') return `type ${typeof actual}`;
    const name = brief(actual.constructor?.name);
    return name ? `an instance of ${name}` : 'an object';
  } catch {
    return `an ${typeof actual} that cannot be read`;
  }
}

function brief(name: unknown): string {
  return typeof name === 'string' ? name.slice(0, MAX_LENGTH) : '';
}

function isShown(name: string, actual: unknown): boolean {
  if (!['string', 'number', 'bigint'].includes(typeof actual)) return false;
  if (String(actual).length > MAX_LENGTH) return false;
  // The last part of `options.priority` and of `hosts['a.test'].maxSockets` counts; the name of a rule is in the message anyhow.
  return PUBLIC.has(/\w+$/.exec(name)?.[0] ?? '') || /^hosts\[.*\]$/.test(name);
}
