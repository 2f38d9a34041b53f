/**
 * An assumption about Node behind its public API. It is tested once: when it is first asked for, or by an observation at its first use. The
 * feature that rests on it asks each time, and does without it if it does not hold; the loss is reported once, by `debug` and by a process
 * warning. Nothing here depends on a version number.
 */
import { debug } from '../debug.js';
import { isFirstWarning } from '../process-wide.js';

export class Capability {
  readonly name: string;
  readonly #loss: string;
  readonly #test: (() => boolean | undefined) | undefined;
  /** `undefined`: not known yet. */
  #holds: boolean | undefined = undefined;

  /**
   * @param loss the feature that users lose if it does not hold
   * @param test runs no code of others, and opens nothing. If it returns `undefined`, the assumption is taken for granted until it is known
   */
  constructor(name: string, loss: string, test?: () => boolean | undefined) {
    this.name = name;
    this.#loss = loss;
    this.#test = test;
  }

  /** Hot path. Whether the assumption holds. */
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
    const message = `Node.js ${process.version} differs from what PoolingAgent expects (${this.name}): ${this.#loss}. Please report this`;
    debug.enabled && debug(message);
    if (isFirstWarning(message)) process.emitWarning(message, { code: 'POOLING_AGENT_NODE' });
  }

  /** @internal For tests: turns it off without a warning, until the returned function is called. */
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
