/**
 * The ends of an agent's connections: they are closed by us, by the other side or by code that destroys the socket, given up before they were
 * connected, or taken out of the pool by a request that leaves HTTP. The pool hears of each end once.
 */
import { connectionReset } from '../errors.js';
import { destroy, throwLater } from '../node/foreign.js';
import type { CloseReason } from '../pool/close-reason.js';
import type { Pool } from '../pool/pool.js';
import { hasFailed } from './dials/dial-progress.js';
import type { PendingDials } from './dials/pending-dials.js';
import type { AgentKinds, PooledSocket } from './pooled-socket.js';
import type { Releases } from './release.js';
import { stopListening } from './socket-events.js';

export class Endings {
  readonly #pool: Pool<AgentKinds>;
  readonly #dials: PendingDials;
  readonly #releases: Releases;

  constructor(pool: Pool<AgentKinds>, dials: PendingDials, releases: Releases) {
    this.#pool = pool;
    this.#dials = dials;
    this.#releases = releases;
  }

  /** The pool closes `pooled`. `why` may be anything. */
  close(pooled: PooledSocket, reason: CloseReason, why: unknown): void {
    this.#releases.closing(pooled, reason);
    this.destroy(pooled, why);
  }

  /** @param why may be anything */
  destroy(pooled: PooledSocket, why: unknown): void {
    try {
      destroy(pooled.socket, why);
    } catch (error) {
      // It is no stream of Node's, and will emit no 'close'.
      this.ended(pooled);
      throwLater(error);
    }
  }

  /** `pooled` is closed, or has left the pool. */
  ended(pooled: PooledSocket): void {
    const { connection, socket } = pooled;
    pooled.clock?.clear();
    if (connection.state !== 'connecting') {
      this.#releases.closed(pooled);
      connection.hasFailed = hasFailed(pooled);
      this.#pool.closed(connection, socket.destroyed ? 'closed' : 'detached');
    } else if (!this.#dials.again(pooled)) {
      const error = pooled.error ?? connectionReset('The socket closed before it was connected');
      this.#pool.failed(connection, error);
    }
    stopListening(pooled);
    pooled.release();
  }

  /** Closes the idle connections to `address`: they are dead, too, and each would cost a request to find that out. */
  peerDied(address: string): void {
    const siblings = [...this.#pool.idle].filter(({ pooled }) => pooled?.address === address);
    for (const connection of siblings) {
      if (connection.state === 'idle') this.#pool.close(connection, 'peer-dead');
    }
  }
}
