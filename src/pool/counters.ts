/**
 * The counts of one host, and of all hosts together. Plain numbers: whoever makes a change of the books adds to both. Identities of
 * one `host:port` share one object, which outlives them.
 *
 * All of them only grow, but for the three that tell how things stand now. At every moment the connections that were ever begun are those that
 * are open, failed or closed: invariants.ts.
 */
import type { CloseReason } from './close-reason.js';
import type { Refusal } from './refusal.js';

/** The step that a dial was waiting for: that `createConnection` brings a socket, or that this emits the event of that name. */
export type ConnectPhase = 'createConnection' | 'lookup' | 'connect' | 'secureConnect';

/** A dial that fails is counted by its phase instead. */
export type CountedReason = Exclude<CloseReason, 'connect-failed'>;

export type RefusalCount = 'queueFull' | 'acquireTimeout' | 'closed';

export class Counters {
  // Now

  /** Connections that were begun and are not ready to be used yet, whether a request has them or not; those that close or are idle not counted. */
  connecting = 0;
  /** Connections that are not closed. */
  open = 0;
  /** Requests in a queue. */
  waiting = 0;

  // Connections since the beginning

  /** Connections that were begun, or taken in from outside. */
  opened = 0;
  /** Those that ended in an error of their own before they were ready, by what they were waiting for. */
  readonly failed: Record<ConnectPhase, number> = {
    createConnection: 0,
    lookup: 0,
    connect: 0,
    secureConnect: 0,
  };
  /** Those that ended in any other way. */
  readonly closed: Record<CountedReason, number> = {
    'idle-timeout': 0,
    'max-age': 0,
    'max-requests': 0,
    'peer-dead': 0,
    evicted: 0,
    'server-closed': 0,
    poisoned: 0,
    surplus: 0,
    shutdown: 0,
    destroyed: 0,
    closed: 0,
    detached: 0,
  };

  // Requests since the beginning. The driver's, as all that follows

  /** Requests that came. One that is sent again does not come again. */
  requests = 0;
  /** Those of them that were given a connection which had served a request before. */
  reused = 0;
  /** Those of them that had to wait beyond the turn of the event loop in which they came. */
  queued = 0;
  /** How often a request was sent again. */
  replayed = 0;
  /** Requests that got no connection because they might not wait, or not any longer. */
  readonly refused: Record<RefusalCount, number> = { queueFull: 0, acquireTimeout: 0, closed: 0 };
  /** TLS handshakes that succeeded. */
  readonly handshakes: { full: number; resumed: number } = { full: 0, resumed: 0 };
}

/** By which counter a refusal is counted. */
export function refusalCount(limitedBy: Refusal['limitedBy']): RefusalCount {
  return limitedBy === 'acquireTimeout' || limitedBy === 'closed' ? limitedBy : 'queueFull';
}

export function sumOf(counts: Readonly<Record<string, number>>): number {
  let sum = 0;
  for (const count of Object.values(counts)) sum += count;
  return sum;
}
