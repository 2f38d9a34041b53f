/**
 * The events of this room, for those that count and publish: observe/ implements the interface. It tells when something has happened; nobody may
 * call back into the pool from here, nor throw. Counters of connections are the pool's own (pool/counters.ts).
 */
import type { Origin } from '../identity/identity.js';
import type { QueueState } from '../limits/saturation.js';
import type { AgentRequest } from '../node/types.js';
import type { Counters } from '../pool/counters.js';
import type { Pool } from '../pool/pool.js';
import type { Connection, HostPool } from '../pool/records.js';
import type { Refusal } from '../pool/refusal.js';
import type { AgentKinds, PooledRequest, PooledSocket } from './pooled-socket.js';

type Conn = Connection<AgentKinds>;
type Host = HostPool<AgentKinds>;

export interface Observer {
  /** Told first. Counts of other things than connections go to the counters of `pool`. */
  attach(pool: Pool<AgentKinds>): void;

  // Hosts

  /** A host is made up: what is counted of it, is counted here. */
  countersOf(origin: Origin<Host>): Counters;
  /** `host` holds nothing any more. */
  retired(host: Host): void;
  /** Whether anybody hears of hosts where requests wait. */
  readonly hearsOfSaturation: boolean;
  saturated(host: Host, state: QueueState): void;
  drained(host: Host, state: QueueState): void;

  // Requests

  /** Hot path. A request came for `host`. */
  came(host: Host): void;
  /** `pending` has to wait beyond the turn of the event loop in which it came. Told once of each. */
  queued(pending: PooledRequest, host: Host): void;
  /** `pending`, which was told of as queued, has left the queue: for a connection, its own dial or its end. */
  leftQueue(pending: PooledRequest): void;
  /** Hot path. `req` gets `pooled`. `pending`: it has waited. */
  assigned(pooled: PooledSocket, req: AgentRequest, pending: PooledRequest | undefined): void;
  /** `req` has lost `connection`, and is sent again for the `count`th time. */
  replayed(connection: Conn, req: AgentRequest, count: number): void;
  refused(host: Host, req: AgentRequest, refusal: Refusal): void;

  // Connections

  /** `connection` is dialled, for `req`, or was taken in from outside. */
  opened(connection: Conn, req: AgentRequest | undefined): void;
  /** `connection` is ready to be used. `handshake`: that of TLS, if there was one. */
  ready(connection: Conn, handshake: 'full' | 'resumed' | undefined): void;
  /** The dial of `connection` has failed, and is made once more in its place, which is told as `opened`. */
  redialled(connection: Conn): void;
  /** `connection` is gone. If it was given up before its dial began, it was never told as `opened`. */
  gone(connection: Conn): void;

  // TLS

  /** TLS options are others from now on. */
  rotated(by: 'updateTls' | 'tls'): void;
}
