/**
 * One thing that we assume about Node behind its public API. It is tested once: when it is first asked for, or by what is seen where it is
 * first used. The feature that rests on it asks each time, and does without it if it does not hold; the loss is reported once, by `debug` and
 * by a process warning. Nothing here depends on a version number.
 */
import { debug } from '../debug.js';
import { isFirstWarning } from '../process-wide.js';

export class Capability {
  readonly name: string;
  readonly #loss: string;
  readonly #test: (() => boolean | undefined) | undefined;
  /** `undefined`: that is not known yet. */
  #holds: boolean | undefined = undefined;

  /**
   * @param loss what users do without where it does not hold
   * @param test runs no code of others, and opens nothing. `undefined`: that cannot be told now, and is taken for granted until it can
   */
  constructor(name: string, loss: string, test?: () => boolean | undefined) {
    this.name = name;
    this.#loss = loss;
    this.#test = test;
  }

  /** Hot path. Whether it may be relied on. */
  get holds(): boolean {
    if (this.#holds === undefined && this.#test) this.found(this.#tryOut());
    return this.#holds !== false;
  }

  get isKnown(): boolean {
    return this.#holds !== undefined;
  }

  /** The assumption was seen to hold, or not to hold. The first finding counts. */
  found(holds: boolean | undefined): void {
    if (this.#holds !== undefined || holds === undefined) return;
    this.#holds = holds;
    if (holds) return;
    const message = `Node.js ${process.version} is not as PoolingAgent knows it (${this.name}): ${this.#loss}`;
    debug.enabled && debug(message);
    if (isFirstWarning(message)) process.emitWarning(message, { code: 'POOLING_AGENT_NODE' });
  }

  /** @internal For tests: off without a word, until the function that is returned is called. */
  switchOff(): () => void {
    const before = this.#holds;
    this.#holds = false;
    return () => void (this.#holds = before);
  }

  #tryOut(): boolean | undefined {
    try {
      return this.#test?.();
    } catch {
      return false;
    }
  }
}
