/** Work of several in turn in one process, so that all share the load of the machine and the state of V8. */
import type { Client } from './contenders/contender.js';
import { drive, measure } from './measure.js';
import type { Load } from './measure.js';
import { ratios } from './results.js';
import { median } from './statistics.js';

/**
 * Each does its part once in every turn. Nobody is always the first, or always after the same other: two go in the order A B, B A, B A, A B.
 *
 * @returns for each, what came of its parts, turn by turn
 */
export async function takeTurns<T>(parts: readonly (() => Promise<T>)[], turns: number): Promise<T[][]> {
  const done = parts.map((): T[] => []);
  for (let turn = 0; turn < turns; turn++) {
    const order = rotated([...parts.keys()], turn >> 1);
    for (const i of turn % 2 === 0 ? order : order.toReversed()) {
      done[i]?.push(await (parts[i] as () => Promise<T>)());
    }
  }
  return done;
}

export function rotated<T>(members: readonly T[], by: number): T[] {
  const start = members.length === 0 ? 0 : by % members.length;
  return [...members.slice(start), ...members.slice(0, start)];
}

/** The median of the turns' ratios: what slows a whole turn down slows both. */
export function ratioInTurn(own: readonly number[], base: readonly number[]): number {
  return median(ratios(own, base));
}

/** Medians of all turns. */
interface InTurn {
  /** CPU of the client, divided by that of the floor in the same turn. */
  readonly ratio: number;
  /** Microseconds of CPU for each request of the client. */
  readonly cpu: number;
  /** The same of the floor. */
  readonly floor: number;
  /** Microseconds for each request of the client. */
  readonly wall: number;
}

/** @param load the requests of each in one turn */
export async function measureInTurn(
  client: Client,
  floor: Client,
  load: Load,
  turns: number,
): Promise<InTurn> {
  const parts = [client, floor].map((one) => () => measure(() => drive(one, load)));
  const [own = [], base = []] = await takeTurns(parts, turns);
  const [cpu, floorCpu] = [own, base].map((done) => done.map((turn) => turn.cpu)) as [number[], number[]];
  return {
    ratio: ratioInTurn(cpu, floorCpu),
    cpu: median(cpu) / load.requests,
    floor: median(floorCpu) / load.requests,
    wall: (median(own.map((turn) => turn.wall)) * 1000) / load.requests,
  };
}
