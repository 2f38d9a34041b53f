/** Remembers when each response was written. */
import { turnOfLoop } from './responses.js';
import type { Written } from './responses.js';

export class ResponseLog {
  /** Whether the client runs in the same event loop as the server. */
  readonly #shared: boolean;
  readonly #written: Written[] = [];

  constructor(shared: boolean) {
    this.#shared = shared;
  }

  note(tag: string, attached: boolean): Written {
    const turn = this.#shared ? turnOfLoop() : undefined;
    const written = { serial: this.#written.length, tag, attached, turn };
    this.#written.push(written);
    return written;
  }

  find(serial: number): Written | undefined {
    return this.#written[serial];
  }
}
