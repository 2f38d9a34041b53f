/** Chance that can be repeated: the same seed, the same numbers (the generator is mulberry32, by Tommy Ettinger). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A generator of its own for whatever `name` stands for: what it gives depends on nothing that went before. */
  static for(seed: number, name: string): Random {
    let hash = 0x81_1c_9d_c5 ^ seed;
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01_00_01_93);
    return new Random(hash);
  }

  /** From 0 up to, but never, 1. */
  next(): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  between(least: number, greatest: number): number {
    return least + Math.floor(this.next() * (greatest - least + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(members: readonly [T, ...T[]]): T {
    return members[Math.floor(this.next() * members.length)] as T;
  }

  /** A key of `odds`, each with the probability that it stands for; `undefined` with what is left of 1. */
  oneOf<K extends string>(odds: Readonly<Partial<Record<K, number>>>): K | undefined {
    let dice = this.next();
    for (const name in odds) if ((dice -= odds[name] ?? 0) < 0) return name;
    return undefined;
  }
}
