/** Listens to the server's events. It asks again by itself after a loss, and then gets only what it has missed. */
import type { Frame, Hello } from '../src/inspect/feed.js';

/** A host that the reader has opened. */
export interface Opened {
  readonly agent: number;
  readonly host: string;
}

interface FeedListener {
  /** @param isContinued the same process goes on */
  hello(hello: Hello, isContinued: boolean): void;
  frame(frame: Frame): void;
  lost(): void;
}

export class FeedClient {
  readonly #listener: FeedListener;
  #source: EventSource | undefined;
  /** The id of the last event, `PROCESS-NUMBER`. */
  #last = '';

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  /** Begins anew, with other details. */
  open(opened: Opened | undefined): void {
    this.#source?.close();
    // Relative to wherever the page is mounted: only the query differs.
    const query = new URLSearchParams({ events: '' });
    if (this.#last !== '') query.set('after', this.#last);
    if (opened) {
      query.set('agent', String(opened.agent));
      query.set('host', opened.host);
    }
    const source = new EventSource(`?${query}`);
    this.#source = source;
    source.addEventListener('hello', ({ data, lastEventId }) => {
      const isContinued = processOf(lastEventId) === processOf(this.#last);
      this.#last = lastEventId;
      this.#listener.hello(JSON.parse(data) as Hello, isContinued);
    });
    source.addEventListener('frame', ({ data, lastEventId }) => {
      this.#last = lastEventId;
      this.#listener.frame(JSON.parse(data) as Frame);
    });
    source.addEventListener('error', () => {
      this.#listener.lost();
      // The browser tries again by itself, unless it was refused (too many readers, a proxy's error page).
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#retry(source, opened), RETRY);
    });
  }

  #retry(source: EventSource, opened: Opened | undefined): void {
    if (this.#source === source) this.open(opened);
  }
}

const RETRY = 3000;

function processOf(id: string): string {
  return id.slice(0, id.lastIndexOf('-'));
}
