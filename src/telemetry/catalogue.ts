/**
 * All measurements of an agent, for every system that collects metrics: one list, so that these differ in the form of names only. Words that tell
 * series of one metric apart come from closed vocabularies (reasons, phases, states); only metrics of `HOSTS` tell hosts apart.
 */
import type { AgentStats } from '../index.js';

export interface Counter {
  /** The thing that is counted, in one word or two: `opened_connections`. */
  readonly name: string;
  /** As UCUM writes it: `{connection}`. */
  readonly unit: string;
  readonly help: string;
  /** The label that tells its series apart, if there is one. */
  readonly by?: string;
  /** The value, or one for each word. */
  readonly read: (stats: AgentStats) => number | Readonly<Record<string, number>>;
}

/** They only ever grow while an agent lives. */
export const COUNTERS: readonly Counter[] = [
  {
    name: 'requests',
    unit: '{request}',
    help: 'Requests that came. One that is sent again is not counted again',
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
    help: 'Requests that got no connection because they might not wait, or not any longer',
    by: 'reason',
    read: ({ refused }) => refused,
  },
  {
    name: 'opened_connections',
    unit: '{connection}',
    help: 'Connections that were begun',
    read: ({ opened }) => opened,
  },
  {
    name: 'failed_connections',
    unit: '{connection}',
    help: 'Connections that failed before they were ready, by the step that they were waiting for',
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

/** How things stand now, of an agent as a whole. */
export const CONNECTIONS = {
  name: 'connections',
  unit: '{connection}',
  help: 'Connections that are not closed, by state',
  by: 'state',
  states: ['connecting', 'active', 'idle', 'closing'],
} as const;

/** The same of single hosts. */
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

/** Durations are told in seconds. The limits of buckets are those of the semantic conventions. */
export const CONNECTION_DURATION = {
  help: 'How old connections were when they ended, from when they were ready',
  buckets: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
};

export const TIME_IN_QUEUE = {
  help: 'How long requests waited that had to wait for a connection, whatever became of them',
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
};
