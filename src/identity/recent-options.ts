/**
 * Recognises the options of the request before: the hot path of identity. Most requests have the very values of the last
 * one. Node hands over options in V8's dictionary mode, where reading the few names that are there is cheaper than asking
 * for each of the thirty that could be.
 */
import type { Options } from './option-value.js';
import { isPlain } from './option-value.js';

/** The names that count, numbered. */
export type Places = ReadonlyMap<string, number>;

export function placesOf(names: Iterable<string>): Places {
  return new Map(Array.from(names, (name, place) => [name, place]));
}

/** `undefined` is a value, too, so absence has a mark of its own. */
const ABSENT: unknown = Symbol('absent');

/** An array among the values, with its members as they were. */
type Listed = readonly [list: readonly unknown[], members: readonly unknown[]];

export class RecentOptions {
  readonly #places: Places;
  /** Whether `undefined` counts: an agent's hides a request's value, a request's own means nothing. */
  readonly #countUndefined: boolean;
  /** The values, by the numbers of their names. */
  readonly #values: unknown[];
  /** The arrays among them, which may change. (Bytes are not compared: a buffer counts for what it held at first sight.) */
  readonly #lists: Listed[] = [];
  /** The objects in these arrays (`key: [{ pem, passphrase }]`), which may change, too: each with a copy. */
  readonly #objects: [object: Options, copy: Options][] = [];
  /** The number of values. */
  #size = 0;
  /** All names of the last options. The next options mostly have the same. */
  #names: readonly string[] = [];
  /** The names among them that count, and the value that is expected of each. */
  #counting: readonly string[] = [];
  #expected: readonly unknown[] = [];
  /** Whether every value has its name among them. */
  #isComplete = false;

  constructor(options: Options, places: Places, countUndefined: boolean) {
    this.#places = places;
    this.#countUndefined = countUndefined;
    // Without holes: V8 reads those fastest.
    this.#values = Array.from(places, () => ABSENT);
    const names = Object.keys(options);
    for (const name of names) {
      const place = places.get(name);
      if (place === undefined) continue;
      const value = options[name];
      if (value === undefined && !countUndefined) continue;
      this.#values[place] = value;
      this.#size++;
      if (!Array.isArray(value)) continue;
      this.#lists.push([value, value.slice()]);
      for (const member of value) if (isPlain(member)) this.#objects.push([member, { ...member }]);
    }
    this.#learn(names);
  }

  /** Hot path. Whether `options` has the very same values. */
  recognises(options: Options): boolean {
    const names = Object.keys(options);
    if (!sameMembers(names, this.#names)) this.#learn(names);
    if (!this.#isComplete) return false;
    const counting = this.#counting;
    const expected = this.#expected;
    for (let i = 0; i < counting.length; i++) {
      const value = options[counting[i] as string];
      if (value === expected[i]) continue;
      // The option is there, and means the same as if it were not.
      if (value !== undefined || this.#countUndefined || expected[i] !== ABSENT) return false;
    }
    const lists = this.#lists;
    for (let i = 0; i < lists.length; i++) {
      const [list, members] = lists[i] as Listed;
      if (!sameMembers(list, members)) return false;
    }
    const objects = this.#objects;
    for (let i = 0; i < objects.length; i++) if (!unchanged(objects[i] as [Options, Options])) return false;
    return true;
  }

  #learn(names: readonly string[]): void {
    const places = this.#places;
    this.#names = names;
    this.#counting = names.filter((name) => places.has(name));
    this.#expected = this.#counting.map((name) => this.#values[places.get(name) as number]);
    this.#isComplete = this.#expected.filter((value) => value !== ABSENT).length === this.#size;
  }
}

function unchanged([object, before]: readonly [Options, Options]): boolean {
  const names = Object.keys(object);
  return names.length === Object.keys(before).length && names.every((name) => object[name] === before[name]);
}

function sameMembers(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
