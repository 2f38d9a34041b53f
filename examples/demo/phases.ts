/** The phases that the agents are put through. Each lasts for a fixed time, however fast the machine is. */
import type { AgentOptions } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { authorities, MANY_AUTHORITIES } from '../../bench/authorities.js';
import { Random } from '../../test/support/random.js';
import { hosts, laneHost } from './hosts.js';
import type { Load } from './load.js';
import type { Target } from './target.js';

export interface Phase {
  readonly name: string;
  /** The events in it. */
  readonly about: string;
  readonly kind: 'speed' | 'closing' | 'surplus';
  /** Milliseconds for all agents together. */
  readonly time: number;
  /** Milliseconds of an agent's turn. */
  readonly turn: number;
  /** Beyond those that all phases have. */
  readonly options?: (target: Target) => AgentOptions;
  /** All connections are closed after each turn; the sessions stay. */
  readonly cold?: true;
  readonly work: (target: Target) => (load: Load) => Promise<unknown>;
}

const BURST = 64;
const LANES = 50;
/** Few sockets, so that most requests get a connection at the moment at which it becomes free. */
const SURPLUS_SOCKETS = 10;
const SURPLUS_LANES = 40;

/** A number of requests at a time, spread over the hosts. */
const steady =
  (lanes: number, delay: number): Phase['work'] =>
  ({ port }) =>
  (load) =>
    inLanes(lanes, async (lane) => {
      const host = hosts[lane % hosts.length] as string;
      do await load.send({ host, port, headers: { 'x-delay': delay } });
      while (!load.over);
    });

const burst: Phase['work'] =
  ({ port }) =>
  (load) =>
    inLanes(BURST, (lane) =>
      load.send({ host: hosts[lane % hosts.length] as string, port, headers: { 'x-delay': 5 } }),
    );

/** Each client comes back to its connection just when the server closes it: some milliseconds before, or a moment after. */
const closing: Phase['work'] =
  ({ faultPort: port }) =>
  (load) =>
    inLanes(LANES, async (lane) => {
      const random = Random.for(1, `lane ${lane}`);
      for (;;) {
        const idle = random.between(20, 200);
        const how = random.between(0, 1) === 0 ? 'fin' : 'rst';
        const method = lane % 2 === 0 ? 'GET' : 'POST';
        await load.send({ host: laneHost(lane), port, method, headers: { 'x-idle': `${how} ${idle}` } });
        if (load.over) return;
        await sleep(idle + random.between(-5, 1));
      }
    });

const surplus: Phase['work'] =
  ({ faultPort: port }) =>
  (load) => {
    const random = new Random(1);
    return inLanes(SURPLUS_LANES, async () => {
      do {
        const fault = random.oneOf({ 'twice-same-record': 0.05, 'twice-next-record': 0.05 });
        const headers = fault === undefined ? {} : { 'x-fault': fault };
        await load.send({ host: hosts[0], port, headers });
      } while (!load.over);
    });
  };

function inLanes(count: number, lane: (index: number) => Promise<void>): Promise<unknown> {
  return Promise.all(Array.from({ length: count }, (_, index) => lane(index)));
}

export const phases = [
  {
    name: 'Warm, one CA',
    about: '16 requests at a time over open connections',
    kind: 'speed',
    // The first phase: it is here that code is compiled.
    time: 9000,
    turn: 100,
    work: steady(16, 0),
  },
  {
    name: `Warm, ${MANY_AUTHORITIES} CAs`,
    about: 'the same, with the CAs of a company or a system',
    kind: 'speed',
    time: 4000,
    turn: 100,
    options: ({ ca }) => ({ ca: authorities(ca, MANY_AUTHORITIES) }),
    work: steady(16, 0),
  },
  {
    name: 'Cold burst',
    about: `${BURST} requests at once, and no connection is open`,
    kind: 'speed',
    time: 3500,
    turn: 0,
    cold: true,
    work: burst,
  },
  {
    name: 'Queue behind a limit',
    about: '200 requests at a time over 4 connections for each host',
    kind: 'speed',
    time: 3500,
    turn: 100,
    options: () => ({ maxSockets: 4 }),
    work: steady(200, 2),
  },
  {
    name: 'Servers that close idle connections',
    about: 'just when the next request comes',
    kind: 'closing',
    time: 3500,
    turn: 1000,
    work: closing,
  },
  {
    name: 'Servers that send surplus bytes',
    about: 'one response in ten is followed by another',
    kind: 'surplus',
    time: 3000,
    turn: 700,
    options: () => ({ maxSockets: SURPLUS_SOCKETS }),
    work: surplus,
  },
] as const satisfies readonly Phase[];
