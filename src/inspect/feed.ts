/**
 * The messages to the live page, as JSON in server-sent events. The page imports this file, too, so it uses nothing of Node's. Values that occur a
 * thousand times (samples, hosts) are sent as arrays, in the order of the lists below.
 *
 * - `hello`, once: a `Hello`.
 * - `frame`, each interval: a `Frame`. It is complete in itself, so a reader that is slow may miss some.
 */

/** The fields of a sample of one agent, for the charts. Counters count since the agent was made. */
export const SAMPLE_FIELDS = [
  /** Milliseconds since the epoch. */
  'at',
  'connecting',
  'active',
  'idle',
  'closing',
  'waiting',
  'requests',
  'reused',
  'opened',
  'full',
  'resumed',
  /** Requests that have had to wait, and the milliseconds that they waited together. */
  'waits',
  'waited',
] as const;

export type SampleField = (typeof SAMPLE_FIELDS)[number];
export type Sample = readonly number[];

/** The fields of a row in the table of hosts. */
export const HOST_FIELDS = [
  'connecting',
  'active',
  'idle',
  'closing',
  'waiting',
  /** -1: no limit. */
  'maxSockets',
  'requests',
  'reused',
  'queued',
  'replayed',
  'opened',
  'failed',
  'closed',
  'refused',
  'full',
  'resumed',
  /** Milliseconds; -1: not known, since only the busiest hosts have a histogram. */
  'p50',
  'p99',
] as const;

export type HostField = (typeof HOST_FIELDS)[number];
/** The host as `host:port`, and the numbers. */
export type HostRow = readonly [host: string, ...numbers: number[]];

/** Milliseconds. */
export interface Times {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

export interface AgentFrame {
  /** Stays the same while the page is open. */
  readonly id: number;
  /** Its name, or a number; no two agents of a page have the same. */
  readonly name: string;
  readonly closed: boolean;
  readonly sample: Sample;
  readonly queued: number;
  readonly replayed: number;
  /** Dials that failed, by phase; connections that were closed, by reason; requests that were refused, by limit. */
  readonly failed: Readonly<Record<string, number>>;
  readonly closes: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly timeInQueue: Times;
  readonly connectTime: Times;
  readonly connectionAge: Times;
  readonly hosts: readonly HostRow[];
}

export interface ConnectionRow {
  readonly number: number;
  readonly state: string;
  readonly address: string;
  readonly protocol: string;
  readonly cipher: string;
  /** Milliseconds. */
  readonly age: number;
  readonly requests: number;
  /** Milliseconds; -1: it is not idle. */
  readonly idleFor: number;
  /** How long its server was seen to keep idle connections, in milliseconds; -1: not known. */
  readonly learnedIdle: number;
}

export interface WaitingRow {
  readonly place: number;
  /** Milliseconds. */
  readonly waited: number;
  readonly reason: string;
  readonly priority: number;
}

export interface AddressRow {
  readonly address: string;
  readonly connections: number;
  /** Whether the last answer of the resolver has it. */
  readonly current: boolean;
  /** Empty: it has not failed since it last worked. */
  readonly lastError: string;
  /** Milliseconds since that error; -1: it has not failed since it last worked. */
  readonly failedAgo: number;
}

/** The host that the reader has opened. */
export interface HostDetails {
  readonly agent: number;
  readonly host: string;
  /** The addresses of its name. Empty: it is an address, or was not looked up by the agent. */
  readonly addresses: readonly AddressRow[];
  readonly connections: readonly ConnectionRow[];
  readonly waiting: readonly WaitingRow[];
  /** Connections and waiting requests beyond those that are listed. */
  readonly moreConnections: number;
  readonly moreWaiting: number;
}

export interface Frame {
  readonly agents: readonly AgentFrame[];
  readonly details?: HostDetails | undefined;
}

export interface Hello {
  readonly title: string;
  readonly pid: number;
  readonly node: string;
  /** Milliseconds between two frames. */
  readonly interval: number;
  /** Milliseconds that the charts show. */
  readonly window: number;
  /** The samples of each agent, by its id, that the reader has not seen yet. */
  readonly history: Readonly<Record<string, readonly Sample[]>>;
}
