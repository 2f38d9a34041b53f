/**
 * Tells by its source text whether a function is Node's own or a replacement. A function of Node's with an unknown text counts as a replacement,
 * which is the safe side, and is reported.
 */
import { Capability } from './capability.js';

const sourceOf = Function.prototype.toString;

/** A text; or several, of which each version has one. No pattern: to compile one takes longer than all else here. */
export type Mark = string | readonly string[];

export class SourceMarks {
  readonly capability: Capability;
  readonly #marks: readonly Mark[];
  readonly #inside: RegExp;

  /**
   * @param marks texts that are in the source of every version of the function, and not in that of a wrapper
   * @param inside matches names that only Node's own code can use: a function with one of them is Node's, whatever its text
   */
  constructor(name: string, loss: string, marks: readonly Mark[], inside: RegExp) {
    this.capability = new Capability(`the source of ${name} is as we know it`, loss);
    this.#marks = marks;
    this.#inside = inside;
  }

  /** Whether `fn` is Node's own. */
  areOn(fn: unknown): boolean {
    if (typeof fn !== 'function') return false;
    const source = sourceOf.call(fn);
    const isKnown = this.#marks.every((mark) =>
      typeof mark === 'string' ? source.includes(mark) : mark.some((text) => source.includes(text)),
    );
    if (!isKnown && this.#inside.test(source)) this.capability.found(false);
    return isKnown;
  }
}
