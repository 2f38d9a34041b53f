/**
 * All metrics of an agent, for every system that collects them: one list, so that these differ in the form of names only. Labels of series come
 * from closed vocabularies (reasons, phases, states); only the metrics of `HOSTS` have labels for hosts.
 */
import type { AgentStats } from '../index.js';

export interface Counter {
  /** The name, in one word or two: `opened_connections`. */
  readonly name: string;
  /** The unit, as UCUM writes it: `{connection}`. */
  readonly unit: string;
  readonly help: string;
  /** The label of its series, if it has several. */
  readonly by?: string;
  /** Reads the value, or one for each word of the label. */
  readonly read: (stats: AgentStats) => number | Readonly<Record<string, number>>;
}

/** The metrics that only grow while an agent lives. */
export const COUNTERS: readonly Counter[] = [
  {
    name: 'requests',
    unit: '{request}',
    help: 'Requests handed to the agent. One that the agent sends again is counted once',
    read: ({ requests }) => requests,
  },
  {
    name: 'reused_requests',
    unit: '{request}',
    help: 'Requests on a connection that had served a request before',
    read: ({ reused }) => reused,
  },
  {
    name: 'queued_requests',
    unit: '{request}',
    help: 'Requests that had to wait for a connection',
    read: ({ queued }) => queued,
  },
  {
    name: 'replayed_requests',
    unit: '{request}',
    help: 'Requests that were sent again because their connection was lost',
    read: ({ replayed }) => replayed,
  },
  {
    name: 'refused_requests',
    unit: '{request}',
    help: 'Requests that failed because they were not allowed to wait for a connection, or to wait longer',
    by: 'reason',
    read: ({ refused }) => refused,
  },
  {
    name: 'opened_connections',
    unit: '{connection}',
    help: 'Connections that the agent began to open',
    read: ({ opened }) => opened,
  },
  {
    name: 'failed_connections',
    unit: '{connection}',
    help: 'Connections that failed before they were ready, by the phase in which they failed',
    by: 'phase',
    read: ({ failed }) => failed,
  },
  {
    name: 'closed_connections',
    unit: '{connection}',
    help: 'Connections that were closed, by reason',
    by: 'reason',
    read: ({ closed }) => closed,
  },
  {
    name: 'handshakes',
    unit: '{handshake}',
    help: 'TLS handshakes that succeeded: full ones, and those that resumed a session',
    by: 'kind',
    read: ({ handshakes }) => ({ ...handshakes }),
  },
];

/** The current state of an agent as a whole. */
export const CONNECTIONS = {
  name: 'connections',
  unit: '{connection}',
  help: 'Connections that are not closed, by state',
  by: 'state',
  states: ['connecting', 'active', 'idle', 'closing'],
} as const;

/** The current state of single hosts. */
export const OPEN_CONNECTIONS = {
  unit: '{connection}',
  help: 'Connections that are ready for a request or have one, by host and state',
  states: ['active', 'idle'],
} as const;

export const WAITING = {
  name: 'waiting_requests',
  unit: '{request}',
  help: 'Requests that wait for a connection, by host',
} as const;

/** Durations are in seconds. The bounds of buckets are those of the semantic conventions. */
export const CONNECTION_DURATION = {
  help: 'Age of connections when they ended, counted from when they were ready',
  buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
};

export const TIME_IN_QUEUE = {
  help: 'How long requests waited for a connection, of those that had to wait, whether they got one or not',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
};
