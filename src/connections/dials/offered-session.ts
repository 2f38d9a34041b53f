/**
 * A dial whose handshake offers a TLS session of ours. Some servers, and middleboxes, end such a handshake instead of declining the session;
 * then the dial is made once more, without one. No byte of a request has left by then, so this may be done for any request: bytes that Node's
 * client has written to the socket are noted until the handshake is over, and given to the next socket, with their callbacks.
 *
 * The socket's own count of bytes decides whether the notes are complete.
 */
import type { DialTime, Offer, PooledSocket } from '../pooled-socket.js';
import type { Output } from '../../node/client-request.js';
import type { AgentRequest } from '../../node/types.js';
import { headSize } from '../../node/exchange.js';
import { noteWrites, stopNoting } from '../../node/written-output.js';
import { nextTick } from '../../node/timers.js';

/** Bytes of a body up to which a request is sent again. */
const MAX_BODY = 64 * 1024;
/** The number of bytes that are noted: chunked encoding makes six bytes of one, at worst. */
const MAX_NOTED = 8 * MAX_BODY;

type Callback = Output['callback'];

interface Noted extends Output {
  /** Whether it was moved to the next socket: this one must not call its callback. */
  isMoved: boolean;
}

export class OfferedSession implements Offer {
  readonly pooled: PooledSocket;
  readonly clock: DialTime | undefined;
  /** The handshake was refused: the dial is to be made again when the socket has closed. */
  isRefused = false;
  #req: AgentRequest | undefined = undefined;
  /** `undefined`: too much was written, or it is not known what was written. */
  #noted: Noted[] | undefined = [];
  #size = 0;

  /** @param clock the time that is left for the dial, if it is limited */
  constructor(pooled: PooledSocket, clock: DialTime | undefined) {
    this.pooled = pooled;
    this.clock = clock;
  }

  /** `req` has the socket. Called before Node's client has it. */
  lease(req: AgentRequest): void {
    nextTick(begin, this, req);
  }

  /** Called just before Node's client sends what has been written by then. */
  begin(req: AgentRequest): void {
    if (this.pooled.request !== req || this.pooled.offered !== this) return;
    if (this.#req || !noteWrites(req, (output) => this.#note(output))) this.#noted = undefined;
    else this.#req = req;
  }

  /** Takes all that was written to the socket, with its callbacks, for another socket. */
  take(): readonly Output[] | undefined {
    const { socket } = this.pooled;
    const noted = this.#noted;
    if (!noted || socket.bytesWritten !== this.#size) return undefined;
    if (this.#req && bodySize(this.#req, noted) > MAX_BODY) return undefined;
    for (const output of noted) output.isMoved = true;
    return noted.map(({ data, encoding, callback }) => ({ data, encoding, callback }));
  }

  /** The handshake is over, or the request has been taken off. */
  end(): void {
    if (this.#req) stopNoting(this.#req);
    this.#req = undefined;
    this.#noted = undefined;
    if (!this.isRefused) this.pooled.offered = undefined;
  }

  #note({ data, encoding, callback }: Output): Callback {
    const noted = this.#noted;
    if (!noted) return callback;
    this.#size +=
      typeof data === 'string' ? Buffer.byteLength(data, encoding ?? 'utf8') : (data?.length ?? 0);
    if (this.#size > MAX_NOTED) {
      this.#noted = undefined;
      return callback;
    }
    const output: Noted = { data, encoding, callback, isMoved: false };
    noted.push(output);
    if (typeof callback !== 'function') return callback;
    return (error) => {
      if (!output.isMoved) callback(error);
    };
  }
}

/** The number of bytes of the body of `req` in `written`, without the framing of chunked encoding. */
function bodySize(req: AgentRequest, written: readonly Output[]): number {
  const bytes = Buffer.concat(
    written.map(({ data, encoding }) =>
      typeof data === 'string' ? Buffer.from(data, encoding ?? 'utf8') : (data ?? NONE),
    ),
  );
  const start = headSize(req);
  if (!req.chunkedEncoding) return bytes.length - start;
  let size = 0;
  for (let at = start; at < bytes.length;) {
    const endOfLine = bytes.indexOf('\r\n', at);
    const length = Number.parseInt(bytes.toString('latin1', at, endOfLine), 16);
    // The last chunk, which has none; trailers may follow.
    if (endOfLine === -1 || !(length > 0)) break;
    size += length;
    at = endOfLine + length + 4;
  }
  return size;
}

const NONE = Buffer.alloc(0);

function begin(offered: OfferedSession, req: AgentRequest): void {
  offered.begin(req);
}
