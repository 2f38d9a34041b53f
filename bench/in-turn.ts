/** A client in turn with the zero pool in one process, so that both share the load of the machine and the state of V8. */
import type { Client } from './contenders/contender.js';
import { drive, measure } from './measure.js';
import type { Load } from './measure.js';
import { median } from './statistics.js';

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
  const done = [];
  for (let turn = 0; turn < turns; turn++) {
    const own = await measure(() => drive(client, load));
    done.push({ ...own, floor: (await measure(() => drive(floor, load))).cpu });
  }
  return {
    ratio: median(done.map((turn) => turn.cpu / turn.floor)),
    cpu: median(done.map((turn) => turn.cpu)) / load.requests,
    floor: median(done.map((turn) => turn.floor)) / load.requests,
    wall: (median(done.map((turn) => turn.wall)) * 1000) / load.requests,
  };
}
