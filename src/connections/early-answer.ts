/**
 * Keeps answers that are read before Node has heard that their request was sent. Node hears that of a TLS socket at the start of the loop's next
 * check phase. A fast server's answer to a request that was written in an immediate or a timer is read in the poll before that. If such a
 * response ended at once, its connection would not be free yet, and a caller that then ends the request (got does) would close it.
 *
 * So such an answer is handed on in the check phase of the same turn of the loop, right after Node has heard. Bytes and an end that are read
 * until then are kept in order. (Reading is not stopped: that costs system calls, and the loop does not poll before.)
 */
import { pauseReading } from '../node/handle.js';
import { isSent } from '../node/socket.js';
import { setImmediate } from '../node/timers.js';
import type { PooledSocket } from './pooled-socket.js';

/** A chunk that a handle gives its socket: bytes, or `null` for the end. */
type Chunk = Buffer | null;

export class EarlyAnswer {
  readonly #pooled: PooledSocket;
  readonly #deliver: (chunk: Chunk) => boolean;
  /** The chunks that were read, in order. */
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
    if (!isEarly(pooled, chunk)) return false;
    this.#chunks.push(chunk);
    pooled.answered = true;
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
      // A listener has thrown: the rest is still delivered.
      if (chunks.length > 0 && !socket.destroyed) setImmediate(deliverKept, this);
      // As Node does when `push` returns `false`.
      else if (!wantsMore) pauseReading(socket);
    }
  }
}

/** Hot path. Whether `chunk` is the beginning of such an answer. */
export function isEarly(pooled: PooledSocket, chunk: Chunk): boolean {
  const { request, socket } = pooled;
  if (socket.writableLength === 0 || chunk === null) return false;
  return request !== undefined && pooled.expectsData && isSent(request, socket);
}

function deliverKept(early: EarlyAnswer): void {
  early.deliverKept();
}
