/**
 * A reader of the page, over a response that does not end. A slow reader misses frames, each of which is complete in itself, so that no more than one of
 * them ever waits in memory. A reader that reads nothing for long is cut off.
 */
import type { ServerResponse } from 'node:http';

/** Milliseconds. A browser whose tab sleeps still reads. */
export const PATIENCE = 30_000;

/** The host that the reader has opened. */
export interface Opened {
  readonly agent: number;
  readonly host: string;
}

export class Reader {
  readonly opened: Opened | undefined;
  readonly #res: ServerResponse;
  /** The time since which the last message has not been taken. */
  #stuckSince: number | undefined;

  constructor(res: ServerResponse, opened: Opened | undefined) {
    this.#res = res;
    this.opened = opened;
  }

  /**
   * Cuts it off if it has not taken the last message for too long.
   *
   * @param now the time, by the monotonic clock
   * @returns whether it has taken it
   */
  check(now: number): boolean {
    const { writableLength, destroyed } = this.#res;
    if (destroyed) return false;
    if (writableLength === 0) {
      this.#stuckSince = undefined;
      return true;
    }
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
