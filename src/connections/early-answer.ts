/**
 * Answers that are read before Node has heard that their request was sent. Node says so of a TLS socket at the start of the loop's next
 * check phase; the answer to a request that was written in an immediate or a timer is read in the poll before that, if the server is
 * fast. A response that ends first does not free its connection at once, and a caller that then ends the request (got does) takes the
 * connection with it.
 *
 * So such an answer is handed on in the check phase of this very turn of the loop: right after Node has heard, however that goes.
 * Until then nothing more is read, so that an error or an end that follows the answer stays behind it.
 */
import { pauseReading, readOn } from '../node/handle.js';
import { isSent } from '../node/socket.js';
import { setImmediate } from '../node/timers.js';
import type { PooledSocket } from './pooled-socket.js';

/** The things that a socket is given by its handle: bytes, or the end. */
type Chunk = Buffer | null;

export class EarlyAnswer {
  readonly #pooled: PooledSocket;
  readonly #deliver: (chunk: Chunk) => boolean;
  /** In the order in which it was read. */
  #chunks: Chunk[] = [];

  /** @param deliver gives the socket what was read. `false`: it wants no more for now */
  constructor(pooled: PooledSocket, deliver: (chunk: Chunk) => boolean) {
    this.#pooled = pooled;
    this.#deliver = deliver;
  }

  /** Hot path. `true`: `chunk` will be delivered a moment later. */
  keeps(chunk: Chunk): boolean {
    const pooled = this.#pooled;
    if (this.#chunks.length > 0) {
      this.#chunks.push(chunk);
      return true;
    }
    if (pooled.socket.writableLength === 0 || chunk === null || !isEarly(pooled)) return false;
    this.#chunks.push(chunk);
    pooled.answered = true;
    pauseReading(pooled.socket);
    setImmediate(deliverKept, this);
    return true;
  }

  deliverKept(): void {
    const chunks = this.#chunks;
    const { socket } = this.#pooled;
    let wantsMore = true;
    try {
      for (let chunk; (chunk = chunks.shift()) !== undefined && !socket.destroyed;) {
        wantsMore = this.#deliver(chunk);
      }
    } finally {
      // A listener has thrown: the rest is not lost for it.
      if (chunks.length > 0 && !socket.destroyed) setImmediate(deliverKept, this);
      else if (wantsMore) readOn(socket);
    }
  }
}

function isEarly(pooled: PooledSocket): boolean {
  const { request, socket } = pooled;
  return request !== undefined && pooled.expectsData && isSent(request, socket);
}

function deliverKept(early: EarlyAnswer): void {
  early.deliverKept();
}
