/**
 * The events of this room, for counters and channels: observe/ implements the interface. Its methods are called after each event; they must not
 * call back into the pool, nor throw. Counters of connections are the pool's own (pool/counters.ts).
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
  /** Called first. Counts of requests and handshakes go to the counters of `pool`. */
  attach(pool: Pool<AgentKinds>): void;

  // Hosts

  /** A new host: returns the counters for it. */
  countersOf(origin: Origin<Host>): Counters;
  /** `host` holds nothing any more. */
  retired(host: Host): void;
  /** Whether anything listens for hosts where requests wait. */
  readonly hearsOfSaturation: boolean;
  saturated(host: Host, state: QueueState): void;
  drained(host: Host, state: QueueState): void;

  // Requests

  /** Hot path. A request came for `host`. */
  came(host: Host): void;
  /** `pending` has to wait beyond the turn of the event loop in which it came. Called once for each request. */
  queued(pending: PooledRequest, host: Host): void;
  /** `pending`, which was `queued`, has left the queue: it has a connection, a dial of its own, or has ended. */
  leftQueue(pending: PooledRequest): void;
  /** Hot path. `req` gets `pooled`. `pending`: it has waited. */
  assigned(pooled: PooledSocket, req: AgentRequest, pending: PooledRequest | undefined): void;
  /** `req` has lost `connection`, and is sent again for the `count`th time. */
  replayed(connection: Conn, req: AgentRequest, count: number): void;
  refused(host: Host, req: AgentRequest, refusal: Refusal): void;

  // Connections

  /** `connection` is dialled, for `req`, or was adopted from outside. */
  opened(connection: Conn, req: AgentRequest | undefined): void;
  /** `connection` is ready to be used. `handshake`: that of TLS, if there was one. */
  ready(connection: Conn, handshake: 'full' | 'resumed' | undefined): void;
  /** The dial of `connection` has failed, and is made once more; `opened` is called for the second. */
  redialled(connection: Conn): void;
  /** `connection` is gone. If it was given up before its dial began, `opened` was never called for it. */
  gone(connection: Conn): void;

  // TLS

  /** TLS options have changed. */
  rotated(by: 'updateTls' | 'tls'): void;
}
