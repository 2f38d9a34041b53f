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

export class RecentOptions {
  readonly #places: Places;
  /** Whether `undefined` counts: an agent's hides a request's value, a request's own means nothing. */
  readonly #countUndefined: boolean;
  readonly #values: unknown[];
  /** The members of arrays, which may change. (Bytes are not compared: a buffer counts for what it held at first sight.) */
  readonly #members: (readonly unknown[] | undefined)[];
  /** The objects in these arrays (`key: [{ pem, passphrase }]`), which may change, too: each with a copy. */
  readonly #objects: [object: Options, copy: Options][] = [];
  #size = 0;
  /** All names of the last options. The next options mostly have the same. */
  #names: readonly string[] = [];
  /** The names among them that count, and their numbers. */
  #counting: readonly string[] = [];
  #countingPlaces: readonly number[] = [];

  constructor(options: Options, places: Places, countUndefined: boolean) {
    this.#places = places;
    this.#countUndefined = countUndefined;
    // Without holes: V8 reads those fastest.
    this.#values = Array.from(places, () => ABSENT);
    this.#members = Array.from(places, () => undefined);
    this.#learn(Object.keys(options));
    for (const [i, name] of this.#counting.entries()) {
      const place = this.#countingPlaces[i] as number;
      const value = options[name];
      if (value === undefined && !countUndefined) continue;
      this.#values[place] = value;
      if (Array.isArray(value)) {
        this.#members[place] = value.slice();
        for (const member of value) if (isPlain(member)) this.#objects.push([member, { ...member }]);
      }
      this.#size++;
    }
  }

  /** Hot path. Whether `options` has the very same values. */
  recognises(options: Options): boolean {
    const names = Object.keys(options);
    if (!sameMembers(names, this.#names)) this.#learn(names);
    const counting = this.#counting;
    let size = 0;
    for (let i = 0; i < counting.length; i++) {
      const value = options[counting[i] as string];
      if (value === undefined && !this.#countUndefined) continue;
      const place = this.#countingPlaces[i] as number;
      if (value !== this.#values[place]) return false;
      const members = this.#members[place];
      if (members && !sameMembers(members, value as readonly unknown[])) return false;
      size++;
    }
    if (size !== this.#size) return false;
    const objects = this.#objects;
    for (let i = 0; i < objects.length; i++) if (!unchanged(objects[i] as [Options, Options])) return false;
    return true;
  }

  #learn(names: readonly string[]): void {
    const places = this.#places;
    this.#names = names;
    this.#counting = names.filter((name) => places.has(name));
    this.#countingPlaces = this.#counting.map((name) => places.get(name) as number);
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
