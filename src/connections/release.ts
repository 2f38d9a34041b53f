/** Learns from the end of an exchange about its connection and its host, and from the end of a connection about its host. */
import { forgetMessage } from '../node/exchange.js';
import { timerOf } from '../node/socket.js';
import type { Lifetimes } from '../lifetimes/lifetimes.js';
import type { CloseReason } from '../pool/close-reason.js';
import type { Pool } from '../pool/pool.js';
import { allowsAnother, isUsable } from './hand-over.js';
import type { IdleEntry } from './idle-entry.js';
import type { AgentKinds, PooledSocket } from './pooled-socket.js';
import { MANY, readAhead } from './read-ahead.js';

export class Releases {
  readonly #pool: Pool<AgentKinds>;
  readonly #lifetimes: Lifetimes<AgentKinds>;
  readonly #idleEntry: IdleEntry;

  constructor(pool: Pool<AgentKinds>, lifetimes: Lifetimes<AgentKinds>, idleEntry: IdleEntry) {
    this.#pool = pool;
    this.#lifetimes = lifetimes;
    this.#idleEntry = idleEntry;
  }

  /** Hot path. The exchange on `pooled` is over. */
  release(pooled: PooledSocket): void {
    const { connection, request, socket } = pooled;
    if (connection.state !== 'active') return;
    // Node can emit 'free' twice for one exchange; the second time the socket may belong to the next request,
    // which is not over before it counts as destroyed. A custom request without the flag is taken at its word.
    if (request?.destroyed === false) return;
    const response = request?.res;
    pooled.used ||= response != null || request?.destroyed === undefined;
    if (connection.served === MANY) readAhead();
    pooled.hint = this.#lifetimes.hintOf(response?.rawHeaders);
    if (response) this.#lifetimes.answered(connection);
    pooled.requestTimer = socket.timeout ? timerOf(socket) : undefined;
    const reusable = allowsAnother(pooled) && this.#idleEntry.mayKeep(pooled) && isUsable(pooled);
    if (!reusable) this.#pool.discard(connection);
    else if (this.#lifetimes.isNeverSafe(connection, pooled.hint)) this.#pool.releaseUnsafe(connection);
    else this.#pool.release(connection);
    if (pooled.request === request) {
      pooled.request = undefined;
      pooled.requestOptions = undefined;
      pooled.keptBody = undefined;
      pooled.leasedIn = undefined;
      forgetMessage(socket);
    }
  }

  /**
   * `pooled` is about to be closed by us. If it was idle, its host is known to keep connections for at least that long, or, where the host has ended this one, for
   * no longer.
   */
  closing(pooled: PooledSocket, reason: CloseReason): void {
    const { connection } = pooled;
    if (connection.idleSince < 0) return;
    if (pooled.endedByPeer) this.#lifetimes.closedWhileIdle(connection);
    else if (reason !== 'peer-dead' && isUsable(pooled)) this.#lifetimes.survivedIdle(connection);
  }

  /** `pooled` has closed. If we have not asked for that, it says something about its host. */
  closed(pooled: PooledSocket): void {
    const { connection, request, used } = pooled;
    if (connection.state === 'closing' || !pooled.endedByPeer) return;
    if (connection.idleSince >= 0) this.#lifetimes.closedWhileIdle(connection);
    else if (connection.state === 'active' && used && request && !request.res) {
      this.#lifetimes.endsUnanswered(connection);
    }
  }
}
