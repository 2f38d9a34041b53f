/**
 * The answer of `agent.explain(req)`: the state of a request, and what it waits for. It is for debugging: it may take time that grows with the number
 * of connections and waiting requests, and it changes nothing.
 */
import type { ClientRequest } from 'node:http';
import type { AgentPool } from '../connections/agent-pool.js';
import { kPool } from '../connections/pool-key.js';
import { pooledSocketOf } from '../connections/pooled-socket.js';
import type { AgentKinds, PooledSocket } from '../connections/pooled-socket.js';
import { invalidType } from '../errors.js';
import { propertyOf } from '../node/foreign.js';
import { monotonicNow } from '../node/timers.js';
import type { ConnectPhase } from '../pool/counters.js';
import type { Connection, HostPool, Waiter } from '../pool/records.js';
import { reasonToWait } from '../pool/wait-reason.js';
import { recordOf } from './host-records.js';

type Conn = Connection<AgentKinds>;
type Host = HostPool<AgentKinds>;
type PoolWaiter = Waiter<AgentKinds>;

/** The state of a request. Fields that do not apply are left out. */
export interface Explanation {
  /**
   * - `queued`: the request waits for a connection, for the first time or to be sent again.
   * - `connecting`: a connection is being opened for it alone.
   * - `active`: it has a connection.
   * - `done`: it has ended, or its exchange is over.
   * - `unknown`: it is no request of this agent, or has not reached the agent yet.
   */
  readonly state: 'queued' | 'connecting' | 'active' | 'done' | 'unknown';
  /** `host:port`. */
  readonly host?: string;
  /** Milliseconds since the request came, or since it lost its last connection, while it is `queued` or `connecting`. */
  readonly waited?: number;
  /** The number of requests of the same host that come before this one, while it is `queued`. */
  readonly ahead?: number;
  /**
   * The limit that keeps a connection from being opened for the request: `maxSockets` of its host, that of its `proxy`, `maxTotalSockets` (also where what is left of it is
   * reserved for others), a limit of 0 (`paused`), or the end of this turn of the event loop (`pacing`). Left out if a connection is being
   * opened or validated for it.
   */
  readonly limitedBy?: 'maxSockets' | 'proxy' | 'maxTotalSockets' | 'paused' | 'pacing';
  /** The pattern of the rule that set this limit, if one did. */
  readonly rule?: string;
  /** The phase of the dial that the request waits for. */
  readonly phase?: ConnectPhase;
  /** The number of the request's connection, or of the one that is being opened for it. */
  readonly connection?: number;
}

/** @throws `ERR_INVALID_ARG_TYPE` */
export function explain(pool: AgentPool, req: ClientRequest): Explanation {
  if (typeof req !== 'object' || (req as object | null) === null)
    throw invalidType('req', 'an instance of http.ClientRequest', req);
  const socket = propertyOf(req, 'socket');
  const pooled = typeof socket === 'object' && socket ? pooledSocketOf(socket) : undefined;
  if (pooled?.request === req && pool.view.hosts.has(pooled.connection.host)) return explainHeld(pooled);
  for (const host of pool.view.hosts) {
    for (const waiter of host.waiting) if (waiter.request.req === req) return explainQueued(pool, waiter);
    for (const connection of host.connections) {
      const found = explainBound(connection, req);
      if (found) return found;
    }
  }
  const isOurs = propertyOf(propertyOf(req, 'agent'), kPool) === pool || pooled?.owner.pool === pool.view;
  const isDone =
    propertyOf(req, 'destroyed') === true || propertyOf(propertyOf(req, 'res'), 'complete') === true;
  return { state: isOurs && isDone ? 'done' : 'unknown' };
}

/** The answer, if `req` has `connection` or waits for it alone. */
function explainBound(connection: Conn, req: ClientRequest): Explanation | undefined {
  const { host, pooled, replayWaiter, waiter } = connection;
  if (pooled?.request === req) return explainHeld(pooled);
  if (replayWaiter?.request.req === req)
    return { state: 'queued', host: nameOf(host), waited: waitedBy(replayWaiter), ahead: 0 };
  if (waiter?.state !== 'dialling' || waiter.request.req !== req) return undefined;
  return { state: 'connecting', host: nameOf(host), waited: waitedBy(waiter), ...dialOf(connection) };
}

function explainHeld({ connection, request, since }: PooledSocket): Explanation {
  const { host, id, readyAt } = connection;
  if (request?.destroyed) return { state: 'done', host: nameOf(host), connection: id };
  if (readyAt >= 0) return { state: 'active', host: nameOf(host), connection: id };
  return { state: 'connecting', host: nameOf(host), waited: monotonicNow() - since, ...dialOf(connection) };
}

function explainQueued(pool: AgentPool, waiter: PoolWaiter): Explanation {
  const { connection, host } = waiter;
  const limitedBy = limitOf(pool, waiter);
  const isOfHost = limitedBy === 'maxSockets' || (limitedBy === 'paused' && host.limits.maxSockets === 0);
  const rule = isOfHost ? pool.ruleOf(host, 'maxSockets') : undefined;
  return {
    state: 'queued',
    host: nameOf(host),
    waited: waitedBy(waiter),
    ahead: host.waiting.placeOf(waiter) - 1,
    ...(limitedBy && { limitedBy }),
    ...(rule !== undefined && { rule }),
    ...(connection && dialOf(connection)),
  };
}

function limitOf(pool: AgentPool, waiter: PoolWaiter): Explanation['limitedBy'] {
  const reason = reasonToWait(pool.view, waiter);
  switch (reason) {
    case 'connecting':
      return undefined;
    case 'validating':
      return 'pacing';
    case 'reserved':
    case 'maxTotalSockets':
      return pool.view.limits.maxTotalSockets === 0 ? 'paused' : 'maxTotalSockets';
    default:
      return reason;
  }
}

function dialOf({ id, phase }: Conn): { phase: ConnectPhase; connection: number } {
  return { phase, connection: id };
}

function nameOf(host: Host): string {
  return recordOf(host).name;
}

function waitedBy({ request }: PoolWaiter): number {
  return monotonicNow() - request.since;
}
