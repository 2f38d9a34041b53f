/**
 * Tells a function of Node's that others like to replace from what they put in its place, by its source text. A function of Node's that is
 * written otherwise than we know it counts as one of others, which is the safe side, and somebody is told.
 */
import { Capability } from './capability.js';

const sourceOf = Function.prototype.toString;

export class SourceMarks {
  readonly capability: Capability;
  readonly #marks: readonly RegExp[];
  readonly #inside: RegExp;

  /**
   * @param marks what the source of all versions of the function has in it, and that of a wrapper has not
   * @param inside names that nobody but Node can use: what has one of them is Node's own, however it is written
   */
  constructor(name: string, loss: string, marks: readonly RegExp[], inside: RegExp) {
    this.capability = new Capability(`the source of ${name} is as we know it`, loss);
    this.#marks = marks;
    this.#inside = inside;
  }

  /** Whether `fn` is Node's own. */
  areOn(fn: unknown): boolean {
    if (typeof fn !== 'function') return false;
    const source = sourceOf.call(fn);
    const isKnown = this.#marks.every((mark) => mark.test(source));
    if (!isKnown && this.#inside.test(source)) this.capability.found(false);
    return isKnown;
  }
}
