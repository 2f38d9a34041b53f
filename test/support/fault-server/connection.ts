/** One connection of a fault server: the TLS socket, the TCP socket below it, and what both can be made to do. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { RequestHead } from './request-reader.js';
import { NOBODY, responseOf } from './responses.js';
import type { ResponseParts } from './responses.js';
import type { ResponseLog } from './response-log.js';

export class FaultConnection {
  readonly tls: TLSSocket;
  /** The bytes on the wire. */
  readonly tcp: Socket;
  readonly #log: ResponseLog;
  readonly #timers = new Set<NodeJS.Timeout>();
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(tls: TLSSocket, tcp: Socket, log: ResponseLog) {
    this.tls = tls;
    this.tcp = tcp;
    this.#log = log;
    tcp.once('close', () => {
      this.busy();
      for (const timer of this.#timers) clearTimeout(timer);
    });
  }

  get open(): boolean {
    return !this.tls.destroyed && !this.tcp.destroyed;
  }

  /** FIN, as a process that goes away sends it: no close_notify before it. */
  close(): void {
    this.tls.destroy();
  }

  /** The orderly end: close_notify and FIN, when everything is written. */
  end(): void {
    this.tls.end();
  }

  /** RST. The client never reads the bytes that it has not read by then. */
  reset(): void {
    this.tcp.resetAndDestroy();
    this.tls.destroy();
  }

  /** Bytes that come from now on stay in the kernel. */
  stopReading(): void {
    (this.tcp as unknown as { _handle?: { readStop(): void } | null })._handle?.readStop();
  }

  write(text: string): void {
    if (this.tls.writable) this.tls.write(text, 'latin1');
  }

  /** Past TLS: the client cannot make sense of it. */
  writeRaw(bytes: readonly number[]): void {
    if (this.tcp.writable) this.tcp.write(Buffer.from(bytes));
  }

  /**
   * A response, noted as written now.
   *
   * @param attached it goes out in one piece with the response before it
   */
  response(parts: ResponseParts, attached = false): string {
    const written = this.#log.note(parts.tag, attached);
    const headers = [...(parts.headers ?? []), `X-Serial: ${written.serial}`];
    if (written.attached) headers.push('X-Attached: yes');
    return responseOf({ ...parts, headers });
  }

  /** A response that no request is owed. */
  stray(attached = false): string {
    return this.response({ tag: NOBODY, filler: 3 }, attached);
  }

  /** `action`, unless the connection is closed by then. */
  later(ms: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      if (this.open) action();
    }, ms);
    this.#timers.add(timer);
  }

  /** `action`, unless something comes, or the connection is closed by then. */
  idle(ms: number, action: () => void): void {
    this.busy();
    this.#idleTimer = setTimeout(() => {
      if (this.open) action();
    }, ms);
  }

  busy(): void {
    clearTimeout(this.#idleTimer);
  }
}

/** A request under way. */
export interface Exchange {
  readonly connection: FaultConnection;
  readonly head: RequestHead;
  /** From `least` to `greatest`, as the seed has it for this request. */
  readonly between: (least: number, greatest: number) => number;
  /** The proper answer. */
  readonly answer: (parts?: Partial<ResponseParts>) => string;
  /** The exchange is over, and the connection idle. */
  readonly done: () => void;
}
