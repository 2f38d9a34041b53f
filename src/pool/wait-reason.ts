/** The reasons for which requests wait: the words of debug lines and of `explain()`. Nothing is decided by them. */
import type { Kinds } from './kinds.js';
import type { Pool } from './pool.js';
import type { Waiter } from './records.js';

export type WaitReason =
  /** `maxSockets` is 0 for its host. */
  | 'paused'
  /** A connection that was just released, or that is validated, is on its way to it. */
  | 'validating'
  /** A connection is being opened that serves whichever request is next. */
  | 'connecting'
  /** Its host has all the connections that it may have. */
  | 'maxSockets'
  /** The hosts that share a proxy have all the connections that the rule for that allows. */
  | 'proxy'
  /** All hosts together have all the connections that they may have. */
  | 'maxTotalSockets'
  /** The slots that are left of `maxTotalSockets` are reserved for other hosts. */
  | 'reserved'
  /** The end of this turn of the event loop decides whether one is opened for it. */
  | 'pacing';

export function reasonToWait<K extends Kinds>(
  { limits, size, capacity }: Pick<Pool<K>, 'limits' | 'size' | 'capacity'>,
  { host }: Waiter<K>,
): WaitReason {
  if (host.limits.maxSockets === 0) return 'paused';
  if (host.unserved <= 0) return host.validating > 0 ? 'validating' : 'connecting';
  if (host.connections.size >= host.limits.maxSockets) return 'maxSockets';
  if (host.gateway && host.gateway.left <= 0) return 'proxy';
  if (capacity.hasSlot(host)) return 'pacing';
  return size >= limits.maxTotalSockets ? 'maxTotalSockets' : 'reserved';
}
