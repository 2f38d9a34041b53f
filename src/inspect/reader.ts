/**
 * Somebody who looks at the page, over a response that does not end. Whoever reads too slowly misses frames, each of which is complete in itself, so
 * that no more than one of them ever waits in memory; whoever reads nothing for long is cut off.
 */
import type { ServerResponse } from 'node:http';
import { monotonicNow } from '../telemetry/clocks.js';

/** Milliseconds. A browser whose tab sleeps still reads. */
const PATIENCE = 30_000;

/** The host that the reader has opened. */
export interface Opened {
  readonly agent: number;
  readonly host: string;
}

export class Reader {
  readonly opened: Opened | undefined;
  readonly #res: ServerResponse;
  /** Since when what was sent last has not been taken. */
  #stuckSince: number | undefined;

  constructor(res: ServerResponse, opened: Opened | undefined) {
    this.#res = res;
    this.opened = opened;
  }

  /** Whether it has taken what was sent before. It is cut off if that has lasted too long. */
  isReady(): boolean {
    const { writableLength, destroyed } = this.#res;
    if (destroyed) return false;
    if (writableLength === 0) {
      this.#stuckSince = undefined;
      return true;
    }
    const now = monotonicNow();
    this.#stuckSince ??= now;
    if (now - this.#stuckSince > PATIENCE) this.#res.destroy();
    return false;
  }

  /** @param data JSON, which has no line breaks */
  send(event: string, id: string, data: string): void {
    this.#res.write(`event: ${event}\nid: ${id}\ndata: ${data}\n\n`);
  }

  end(): void {
    this.#res.end();
  }
}
