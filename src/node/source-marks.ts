/**
 * Tells by its source text whether a function is Node's own or a replacement. A function of Node's with an unknown text counts as a replacement,
 * which is the safe side, and is reported.
 */
import { Capability } from './capability.js';

const sourceOf = Function.prototype.toString;

export class SourceMarks {
  readonly capability: Capability;
  readonly #marks: readonly (string | RegExp)[];
  readonly #inside: RegExp;

  /**
   * @param marks text or patterns that are in the source of every version of the function, and not in that of a wrapper
   * @param inside matches names that only Node's own code can use: a function with one of them is Node's, whatever its text
   */
  constructor(name: string, loss: string, marks: readonly (string | RegExp)[], inside: RegExp) {
    this.capability = new Capability(`the source of ${name} is as we know it`, loss);
    this.#marks = marks;
    this.#inside = inside;
  }

  /** Whether `fn` is Node's own. */
  areOn(fn: unknown): boolean {
    if (typeof fn !== 'function') return false;
    const source = sourceOf.call(fn);
    const isKnown = this.#marks.every((mark) =>
      // To compile a pattern takes longer than all else here.
      typeof mark === 'string' ? source.includes(mark) : mark.test(source),
    );
    if (!isKnown && this.#inside.test(source)) this.capability.found(false);
    return isKnown;
  }
}
