/** The map that keeps what was used last is the same with one entry, which it holds itself, and with many, which `lru-cache` holds. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { RecentlyUsed } from '../../src/recently-used.js';
import { Random } from '../support/random.js';

const isLoaded = (): boolean =>
  Object.keys(createRequire(import.meta.url).cache).some((path) => /[\\/]lru-cache[\\/]/.test(path));

/** The same by a list, the least recently used first. */
class Model {
  entries: [number, string][] = [];
  readonly dropped: string[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  peek(key: number): string | undefined {
    return this.entries.find(([one]) => one === key)?.[1];
  }

  get(key: number): string | undefined {
    const value = this.peek(key);
    if (value !== undefined) this.entries = [...this.entries.filter(([one]) => one !== key), [key, value]];
    return value;
  }

  set(key: number, value: string): void {
    const before = this.peek(key);
    if (before !== undefined && before !== value) this.dropped.push(before);
    this.entries = [...this.entries.filter(([one]) => one !== key), [key, value]];
    if (this.entries.length > this.#max) this.pop();
  }

  delete(key: number): void {
    const before = this.peek(key);
    if (before !== undefined) this.dropped.push(before);
    this.entries = this.entries.filter(([one]) => one !== key);
  }

  clear(): void {
    this.dropped.push(...this.entries.map(([, value]) => value));
    this.entries = [];
  }

  pop(): string | undefined {
    const value = this.entries.shift()?.[1];
    if (value !== undefined) this.dropped.push(value);
    return value;
  }
}

/** Does the same to both, and compares what can be seen of them. */
function compare(seed: number, keys: number, max: number): void {
  const random = new Random(seed);
  const dropped: string[] = [];
  const map = new RecentlyUsed<number, string>(max, (value) => dropped.push(value));
  const model = new Model(max);
  for (let step = 0; step < 200; step++) {
    const key = random.between(1, keys);
    const does = random.oneOf({ set: 0.4, get: 0.2, peek: 0.1, delete: 0.15, pop: 0.1, clear: 0.05 });
    if (does === 'set') {
      const value = `${key} ${random.between(1, 2)}`;
      map.set(key, value);
      model.set(key, value);
    } else if (does === 'pop') assert.equal(map.pop(), model.pop());
    else if (does === 'clear') {
      map.clear();
      model.clear();
    } else if (does) assert.equal(map[does](key), model[does](key));
    const latestFirst = model.entries.toReversed();
    assert.deepEqual([...map.entries()], latestFirst, `seed ${seed}, step ${step}`);
    assert.deepEqual(
      [[...map.keys()], [...map.values()]],
      [0, 1].map((i) => latestFirst.map((one) => one[i])),
    );
    assert.equal(map.size, latestFirst.length);
    assert.deepEqual(dropped.toSorted(), model.dropped.toSorted(), `seed ${seed}, step ${step}`);
  }
}

test('with one entry at a time nothing is loaded', () => {
  for (let seed = 1; seed <= 20; seed++) compare(seed, 1, 3);
  assert.equal(isLoaded(), false);
});

test('with more, the least recently used goes', () => {
  for (let seed = 1; seed <= 40; seed++) compare(seed, 5, seed % 4 === 0 ? Infinity : (seed % 4) + 1);
  assert.equal(isLoaded(), true);
});

test('a value that is dropped is not in the map any more when that is told', () => {
  const seen: number[] = [];
  const map: RecentlyUsed<string, string> = new RecentlyUsed(1, () => seen.push([...map.keys()].length));
  map.set('a', '1');
  map.delete('a');
  map.set('a', '2');
  map.set('b', '3');
  assert.deepEqual(seen, [0, 1]);
});
