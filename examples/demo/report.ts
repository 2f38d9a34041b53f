/** The table of a phase: all agents, one below the other. */
import type { Name, Result, Results } from './contest.js';
import { figuresOf, ratioOf } from './figures.js';
import { figure, table } from './layout.js';
import type { Cell } from './layout.js';
import type { Phase } from './phases.js';
import type { Paint } from './style.js';

interface Column {
  readonly head: string;
  readonly cell: (result: Result, name: Name, results: Results) => Cell;
}

/** Less of a difference is noise. */
const NOISE = 0.02;

const number = (value: number, digits = 0): Cell => ({ text: figure(value, digits) });
const harm = (value: number): Cell => ({ text: figure(value), format: value > 0 ? 'red' : 'green' });
const lost: Column = { head: 'lost', cell: ({ outcomes }) => harm(outcomes.lost) };

function ratio(value: number): Cell {
  const text = `${figure(value, 2)} ×`;
  if (Math.abs(value - 1) < NOISE || !Number.isFinite(value)) return { text };
  return { text, format: value > 1 ? 'green' : 'red' };
}

const COLUMNS: Readonly<Record<Phase['kind'], readonly Column[]>> = {
  speed: [
    { head: 'requests/s', cell: (result) => number(figuresOf(result).rate) },
    { head: 'ratio', cell: (_result, name, results) => ratio(ratioOf(results, name)) },
    { head: 'p50 ms', cell: (result) => number(figuresOf(result).p50, 1) },
    { head: 'p99 ms', cell: (result) => number(figuresOf(result).p99, 1) },
    { head: 'CPU µs', cell: (result) => number(figuresOf(result).cpu) },
    { head: 'opened', cell: ({ connections }) => number(connections) },
    { head: 'resumed', cell: ({ resumed }) => number(resumed) },
    lost,
  ],
  closing: [
    { head: 'GETs', cell: ({ outcomes }) => number(outcomes.sent.GET) },
    { head: 'ECONNRESET', cell: ({ outcomes }) => harm(outcomes.resets.GET) },
    { head: 'POSTs', cell: ({ outcomes }) => number(outcomes.sent.POST) },
    { head: 'ECONNRESET', cell: ({ outcomes }) => harm(outcomes.resets.POST) },
    {
      head: 'other errors',
      cell: ({ outcomes }) => harm(outcomes.otherErrors.GET + outcomes.otherErrors.POST),
    },
    lost,
  ],
  surplus: [
    { head: 'requests', cell: ({ outcomes }) => number(outcomes.total) },
    { head: 'wrong answer', cell: ({ outcomes }) => harm(outcomes.astray) },
    { head: 'error', cell: ({ outcomes }) => harm(outcomes.failed) },
    { head: 'no end', cell: ({ outcomes }) => harm(outcomes.unended) },
    lost,
  ],
};

export const LEGEND =
  'ratio: requests/s against those of https.Agent, the median of all rounds. CPU: of the client, for each request. opened: new connections while it counted, by the server, and how many of their ' +
  'handshakes resumed a session. lost: requests that were given the answer to another one, had no end, or failed though they could have been sent again; POSTs that fail are errors, not lost.';

export function phaseReport(
  { name, about, kind }: Pick<Phase, 'name' | 'about' | 'kind'>,
  results: Results,
  paint: Paint,
): string {
  const columns = COLUMNS[kind];
  const row = (agent: Name): [Cell, ...Cell[]] => [
    agent === 'PoolingAgent' ? { text: agent, format: 'bold' } : { text: agent },
    ...columns.map(({ cell }) => cell(results[agent], agent, results)),
  ];
  const rows = (Object.keys(results) as Name[]).map(row);
  const heads = columns.map(({ head }) => head);
  return `${paint('bold', name)}: ${about}\n${table(heads, rows, paint)}`;
}
