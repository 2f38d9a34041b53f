/** Keeps samples of each agent, so that a reader who opens the page after an incident still sees it. Bounded and small: some numbers a second. */
import type { Sample } from './feed.js';

interface Moment {
  /** The number of the tick. */
  readonly tick: number;
  readonly sample: Sample;
}

export class History {
  readonly #length: number;
  readonly #past: Map<number, Moment[]> = new Map();

  /** @param length the number of samples that are kept of an agent */
  constructor(length: number) {
    this.#length = length;
  }

  add(id: number, tick: number, sample: Sample): void {
    let moments = this.#past.get(id);
    if (!moments) this.#past.set(id, (moments = []));
    moments.push({ tick, sample });
    if (moments.length > this.#length) moments.shift();
  }

  /** Forgets agents that are not in `ids`. */
  keep(ids: ReadonlySet<number>): void {
    for (const id of this.#past.keys()) if (!ids.has(id)) this.#past.delete(id);
  }

  /** The samples after `tick`, of each agent. */
  after(tick: number): Record<string, readonly Sample[]> {
    return Object.fromEntries(
      [...this.#past].map(([id, moments]) => [
        id,
        moments.filter((moment) => moment.tick > tick).map(({ sample }) => sample),
      ]),
    );
  }
}
