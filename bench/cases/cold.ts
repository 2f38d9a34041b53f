/**
 * The cost of the first requests of a new process (a command line tool, a function in a cloud, a test), with all that has to be loaded, set up
 * and compiled for them. Each sample is a process of its own (bench/cold-start.ts). Node's own start is the same for
 * all and is left out: CPU time and wall time count from the first line of the program.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ColdContender, ColdStart } from '../cold-start.js';
import { ConfigurationError } from '../configuration-error.js';
import { ratioOf, valuesAt } from '../results.js';
import type { CaseResult, Sample } from '../results.js';
import { summarize } from '../statistics.js';
import { atMost } from '../verdict.js';
import type { Verdict } from '../verdict.js';
import type { Case, Setting } from './case.js';

interface ColdSetting extends Setting {
  readonly requests: number;
  readonly concurrency: number;
}

/** The most that CPU time may be, as a multiple of another's: on Node 20, and on later versions, which load less before the first line. */
type Goal = readonly [node20: number, later: number];

const GOALS: readonly { readonly requests: number; readonly goal: Goal }[] = [
  { requests: 1, goal: [1.45, 2] },
  { requests: 100, goal: [1.15, 1.3] },
  { requests: 1000, goal: [1, 1.1] },
  { requests: 5000, goal: [0.95, 0.95] },
  { requests: 20_000, goal: [0.85, 0.85] },
];
const IMPORT_GOAL: Goal = [1.5, 2.5];
/** MiB above Node's agent's. */
const MEMORY_GOAL = 4;

/** Milliseconds for one process. */
const LIMIT = 120_000;

const goalHere = ([node20, later]: Goal): number => (process.version.startsWith('v20.') ? node20 : later);

const IMPORT: ColdSetting = { name: 'import alone', requests: 0, concurrency: 0 };

function setting(requests: number, concurrency: number): ColdSetting {
  const name = requests === 1 ? '1 request' : `${requests} requests, ${concurrency} at once`;
  // Long samples differ less from each other, and take most of the time.
  return { name, requests, concurrency, ...(requests >= 5000 && { samples: 2 }) };
}

const MANY = GOALS.map(({ requests }) => requests).filter((requests) => requests > 1);
const SETTINGS = [
  IMPORT,
  setting(1, 1),
  ...MANY.flatMap((requests) => [setting(requests, 1), setting(requests, 10)]),
];

const program = fileURLToPath(new URL('../cold-start.js', import.meta.url));
const published = fileURLToPath(new URL('../../../dist/index.js', import.meta.url));

export const cold: Case<ColdSetting> = {
  name: 'cold',
  about: 'processes that begin with nothing: from the first line of the program',
  contenders: ['core', 'agentkeepalive', 'ours'],
  metrics: [
    { key: 'cpu', title: 'CPU ms', digits: 1 },
    { key: 'wall', title: 'ms to first response', digits: 1 },
    { key: 'rss', title: 'RSS MiB', digits: 1 },
  ],
  limit: LIMIT,

  effort: ({ quick }) => (quick ? { rounds: 1, samples: 1 } : { rounds: 3, samples: 5, warmUps: 1 }),

  settings: ({ quick }) => (quick ? SETTINGS.slice(0, 4) : SETTINGS),

  prepare(_contender, { requests, concurrency }, { port, certificate }, name) {
    if (!existsSync(published))
      throw new ConfigurationError('cold: what is published is missing: npm run build');
    const contender = name as ColdContender;
    const start: ColdStart = { contender, requests, concurrency, port, certificate };
    const args = [program, JSON.stringify(start)];
    return {
      async sample() {
        // The process is killed before the call itself times out: it would run on.
        const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: LIMIT - 5000 });
        return JSON.parse(stdout) as Sample;
      },
      close() {},
    };
  },

  verdicts(result) {
    const goal = goalHere(IMPORT_GOAL);
    const place = { setting: IMPORT.name, contender: 'ours', metric: 'cpu' } as const;
    const ratio = ratioOf(result, place, { ...place, contender: 'agentkeepalive' });
    return [
      ...atMost(goal, `CPU, ${IMPORT.name}: at most ${goal} × agentkeepalive`, ratio),
      ...SETTINGS.flatMap((one) => verdictsOn(result, one)),
    ];
  },
};

function verdictsOn(result: CaseResult, { name, requests }: ColdSetting): Verdict[] {
  const ours = { setting: name, contender: 'ours', metric: 'cpu' } as const;
  const base = { ...ours, contender: 'core' } as const;
  const memory = { ...ours, metric: 'rss' };
  const baseMemory = valuesAt(result, { ...base, metric: 'rss' });
  const above = valuesAt(result, memory)
    .slice(0, baseMemory.length)
    .map((value, round) => value - (baseMemory[round] ?? NaN));
  const limits = GOALS.filter((one) => one.requests === requests).map(({ goal }) => goalHere(goal));
  return [
    ...limits.flatMap((limit) =>
      atMost(limit, `CPU, ${name}: at most ${limit} × core`, ratioOf(result, ours, base)),
    ),
    ...atMost(MEMORY_GOAL, `RSS, ${name}: at most ${MEMORY_GOAL} MiB above core`, summarize(above), 1),
  ];
}
