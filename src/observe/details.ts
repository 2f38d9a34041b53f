/**
 * The details of one host, for the live page: its connections, and its waiting requests with the reason. They are put together when they are asked
 * for. They show addresses and numbers, no paths, headers or keys.
 */
import type { AgentPool } from '../connections/agent-pool.js';
import type { AgentKinds, PooledSocket } from '../connections/pooled-socket.js';
import { withPort } from '../limits/host-name.js';
import { callIfAble, propertyOf } from '../node/foreign.js';
import { monotonicNow } from '../node/timers.js';
import type { Connection } from '../pool/records.js';
import { reasonToWait } from '../pool/wait-reason.js';
import type { WaitReason } from '../pool/wait-reason.js';
import { recordOf } from './host-records.js';

interface ConnectionDetails {
  /** Unique in this process, and the same as in debug lines. */
  readonly number: number;
  readonly state: 'connecting' | 'active' | 'idle' | 'closing';
  /** The address of the other side. Empty: not known, or not yet. */
  readonly address: string;
  /** As `tls.TLSSocket#getProtocol()` and `getCipher()` have it. Empty as above. */
  readonly protocol: string;
  readonly cipher: string;
  /** Milliseconds since the connection was ready, or since its dial began. */
  readonly age: number;
  /** Requests that the connection was given. */
  readonly requests: number;
  /** Milliseconds of idle time. -1: the connection is not idle. */
  readonly idleFor: number;
  /** How long the server was observed to keep idle connections, in milliseconds. -1: nothing was observed. */
  readonly learnedIdle: number;
}

interface WaitingDetails {
  /** The number of the request among the waiting ones, from 1. Within an identity, requests that are served first come first. */
  readonly place: number;
  /** Milliseconds that the request has waited. */
  readonly waited: number;
  readonly reason: WaitReason;
  readonly priority: number;
}

interface AddressDetails {
  readonly address: string;
  /** Connections to the address. */
  readonly connections: number;
  /** Whether the last answer of the resolver has the address. */
  readonly current: boolean;
  /** The code of the last error with the address, if it has not worked since; empty: it has not failed. */
  readonly lastError: string;
  /** Milliseconds since that error. -1: the address has not failed. */
  readonly failedAgo: number;
}

export interface HostDetails {
  /** The first addresses of the host's name. */
  readonly addresses: readonly AddressDetails[];
  readonly connections: readonly ConnectionDetails[];
  readonly waiting: readonly WaitingDetails[];
  /** The number of further connections. */
  readonly moreConnections: number;
  readonly moreWaiting: number;
}

/**
 * @param name `host:port`. All its identities are shown together
 * @param most the number of connections, and of waiting requests, that are shown
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
    addresses: addressDetails(pool, name, now).slice(0, most),
    connections,
    waiting,
    moreConnections: allConnections - connections.length,
    moreWaiting: allWaiting - waiting.length,
  };
}

function addressDetails(pool: AgentPool, name: string, now: number): AddressDetails[] {
  const plainName = name.replace(/^https?:\/\//, '');
  const states = pool.addresses(plainName).get(plainName) ?? [];
  return states.map(({ address, connections, failure, isCurrent }) => ({
    address,
    connections,
    current: isCurrent,
    lastError: failure ? failure.code || 'failed' : '',
    failedAgo: failure ? now - failure.at : -1,
  }));
}

/** The `maxSockets` of each host that holds something, by `host:port`. It holds for each identity of the host. */
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

/** The state as `agent.stats()` counts it: a connection that is not ready is connecting, even if a request has it already. */
function stateOf({ readyAt, state }: Connection<AgentKinds>): ConnectionDetails['state'] {
  if (state === 'idle' || state === 'closing') return state;
  return readyAt < 0 || state === 'connecting' ? 'connecting' : 'active';
}

function addressOf({ socket }: PooledSocket): string {
  const address = text(propertyOf(socket, 'remoteAddress'));
  return address === '' ? '' : withPort(address, propertyOf(socket, 'remotePort') as number);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
