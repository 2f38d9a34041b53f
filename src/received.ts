/**
 * Describes a refused value for the error that refuses it. A key, a passphrase or a ticket may stand in the wrong place, or under a name that is
 * one slip away from the right one: the value itself is printed only for the pool's own options, all of them counts, times and words. Of every
 * other value the error tells the type.
 */
import { inspect } from 'node:util';

/** The options of which a value is no secret. An option that is missing here is told about by type. */
const PUBLIC: ReadonlySet<string> = new Set([
  'acquireTimeout',
  'agentKeepAliveTimeoutBuffer',
  'binding',
  'connectTimeout',
  'defaultPort',
  'eagerContext',
  'fairness',
  'idleTimeout',
  'keepAlive',
  'keepAliveMsecs',
  'keepAliveTimeoutBuffer',
  'leakDetectionThreshold',
  'length',
  'max',
  'maxCachedSessions',
  'maxFreeSockets',
  'maxIdleTimeout',
  'maxQueueSize',
  'maxRequestsPerSocket',
  'maxSecureContexts',
  'maxSocketAge',
  'maxSockets',
  'maxTicketsPerIdentity',
  'maxTotalFreeSockets',
  'maxTotalQueueSize',
  'maxTotalSockets',
  'methods',
  'noDelay',
  'pattern',
  'priority',
  'priorityHeader',
  'protocol',
  'replay',
  'reserve',
  'scheduling',
  'socketTimeout',
  'ticketReuse',
  'timeout',
  'trimInterval',
  'validateAfterIdle',
  'weight',
]);

/** Longer than any sensible value of these. */
const MAX_LENGTH = 64;

/** `Received type number (-1)`, `Received an instance of Object`: as Node puts it. */
export function receivedType(name: string, actual: unknown): string {
  const type = typeOf(actual);
  return isShown(name, actual) ? `Received ${type} (${inspect(actual)})` : `Received ${type}`;
}

/** `Received -1`. */
export function receivedValue(name: string, actual: unknown): string {
  return isShown(name, actual) ? `Received ${inspect(actual)}` : `Received ${typeOf(actual)}`;
}

/** The type of a value, and nothing of what is in it. It may be anything, and its getters may throw. */
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
  // `options.priority`; and `hosts['a.test'].maxSockets`, where the name of a rule itself is in the message anyhow.
  return PUBLIC.has(/\w+$/.exec(name)?.[0] ?? '') || /^hosts\[.*\]$/.test(name);
}
