/**
 * The things behind one host: its connections, and the requests that wait for one, with the reason. For looking only, and for few to look at a time: it is
 * put together when it is asked for. Addresses and numbers, no names of paths, headers or keys.
 */
import type { AgentPool } from '../connections/agent-pool.js';
import type { AgentKinds, PooledSocket } from '../connections/pooled-socket.js';
import { callIfAble, propertyOf } from '../node/foreign.js';
import { monotonicNow } from '../node/timers.js';
import type { Connection } from '../pool/records.js';
import { reasonToWait } from '../pool/wait-reason.js';
import type { WaitReason } from '../pool/wait-reason.js';
import { recordOf } from './host-records.js';

interface ConnectionDetails {
  /** Unique in this process: what it is called in debug lines, too. */
  readonly number: number;
  readonly state: 'connecting' | 'active' | 'idle' | 'closing';
  /** The other side. Empty: not known, or not yet. */
  readonly address: string;
  /** As `tls.TLSSocket#getProtocol()` and `getCipher()` have it. Empty as above. */
  readonly protocol: string;
  readonly cipher: string;
  /** Milliseconds since it was ready, or since its dial began. */
  readonly age: number;
  /** Requests that it was given. */
  readonly requests: number;
  /** Milliseconds. -1: it is not idle. */
  readonly idleFor: number;
  /** For how long its server keeps idle connections, as it was seen, in milliseconds. -1: it was not. */
  readonly learnedIdle: number;
}

interface WaitingDetails {
  /** Its number among these, from 1: within an identity those come first that are served first. */
  readonly place: number;
  /** Milliseconds. */
  readonly waited: number;
  readonly reason: WaitReason;
  readonly priority: number;
}

export interface HostDetails {
  readonly connections: readonly ConnectionDetails[];
  readonly waiting: readonly WaitingDetails[];
  /** How many more there are. */
  readonly moreConnections: number;
  readonly moreWaiting: number;
}

/**
 * @param name `host:port`. All its identities are told of together
 * @param most connections, and waiting requests, that are told of
 */
export function detailsOf(pool: AgentPool, name: string, most: number): HostDetails {
  const connections: ConnectionDetails[] = [];
  const waiting: WaitingDetails[] = [];
  let allConnections = 0;
  let allWaiting = 0;
  let place = 0;
  const now = monotonicNow();
  for (const host of pool.view.hosts) {
    if (recordOf(host).name !== name) continue;
    allConnections += host.connections.size;
    for (const connection of host.connections) {
      if (connections.length >= most) break;
      connections.push(connectionDetails(pool, connection, now));
    }
    allWaiting += host.waiting.size;
    for (const waiter of host.waiting) {
      if (waiting.length >= most) break;
      const waited = now - waiter.request.since;
      waiting.push({
        place: ++place,
        waited,
        reason: reasonToWait(pool.view, waiter),
        priority: waiter.priority,
      });
    }
  }
  return {
    connections,
    waiting,
    moreConnections: allConnections - connections.length,
    moreWaiting: allWaiting - waiting.length,
  };
}

/** How many connections each host may have that holds something, by `host:port`. Of several identities, each may have so many. */
export function maxSocketsOf(pool: AgentPool): Map<string, number> {
  const limits = new Map<string, number>();
  for (const host of pool.view.hosts) {
    const name = recordOf(host).name;
    limits.set(name, (limits.get(name) ?? 0) + host.limits.maxSockets);
  }
  return limits;
}

function connectionDetails(
  pool: AgentPool,
  connection: Connection<AgentKinds>,
  now: number,
): ConnectionDetails {
  const { dialledAt, host, id, pooled, readyAt, served, state } = connection;
  const began = readyAt >= 0 ? readyAt : dialledAt;
  const limit = host.learned?.limit ?? Infinity;
  return {
    number: id,
    state: stateOf(connection),
    address: pooled ? addressOf(pooled) : '',
    protocol: text(pooled && callIfAble(pooled.socket, 'getProtocol')),
    cipher: text(pooled && propertyOf(callIfAble(pooled.socket, 'getCipher'), 'name')),
    age: began >= 0 ? now - began : 0,
    requests: served,
    idleFor: state === 'idle' ? pool.idleTimeOf(connection) : -1,
    learnedIdle: limit === Infinity ? -1 : limit,
  };
}

/** As `agent.stats()` counts it: what is not ready is connecting, though a request may have it already. */
function stateOf({ readyAt, state }: Connection<AgentKinds>): ConnectionDetails['state'] {
  if (state === 'idle' || state === 'closing') return state;
  return readyAt < 0 || state === 'connecting' ? 'connecting' : 'active';
}

function addressOf({ socket }: PooledSocket): string {
  const address = text(propertyOf(socket, 'remoteAddress'));
  if (address === '') return '';
  const port = propertyOf(socket, 'remotePort');
  return address.includes(':') ? `[${address}]:${String(port)}` : `${address}:${String(port)}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
