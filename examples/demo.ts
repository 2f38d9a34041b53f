/**
 * The demo (`npm run demo`): several thousand requests to four hosts, through Node's own agent and through
 * PoolingAgent, and a table of what it took. Exits with 1 if a request was lost or failed. With `--inspect` there is a live page to look at meanwhile.
 */
import { names, requestsOf, round } from './demo/contest.js';
import type { Name, Phase, Result } from './demo/contest.js';
import { servePage } from './demo/inspect.js';
import { Progress } from './demo/progress.js';
import { ResultTable, together } from './demo/table.js';
import { startTarget } from './demo/target.js';

const ROUNDS = 3;

const phases: readonly Phase[] = [
  {
    name: 'warm',
    options: {},
    before: { requests: 64, concurrency: 32, delay: 100 },
    load: { requests: 1500, concurrency: 32, delay: 0 },
    bursts: 1,
  },
  {
    name: 'cold burst',
    options: {},
    load: { requests: 100, concurrency: Infinity, delay: 5 },
    bursts: 3,
  },
  {
    name: 'queue behind a limit',
    options: { maxSockets: 4 },
    load: { requests: 1000, concurrency: Infinity, delay: 2 },
    bursts: 1,
  },
];

const nothing = (): Record<Name, Result> => ({
  'https.Agent': { samples: [], connections: 0, resumed: 0 },
  PoolingAgent: { samples: [], connections: 0, resumed: 0 },
});

const started = performance.now();
const target = await startTarget();
const page = await servePage();
if (page !== undefined) console.log(`What PoolingAgent does, live: ${page}\n`);
console.log(
  `Node ${process.version}, ${target.hosts.length} hosts on the loopback, both agents with the same options ` +
    '(keepAlive: true),\nin the same process, one after the other; who goes first changes from round to round.\n',
);

// Measured rounds come after one of each phase that nobody counts: code is compiled, caches are filled.
const rounds = 1 + ROUNDS;
const progress = new Progress(
  rounds * names.length * phases.reduce((total, phase) => total + requestsOf(phase), 0),
);
const results = phases.map(nothing);
for (let number = 0; number < rounds; number++) {
  for (const [index, phase] of phases.entries()) {
    const counted = number > 0 ? results[index] : undefined;
    await round(phase, number, target, counted ?? nothing(), (name) => progress.doing(name), progress.tick);
  }
}
progress.end();
target.close();

const table = new ResultTable();
const all = nothing();
for (const name of names) all[name] = together(results.map((result) => result[name]));
for (const [index, { name }] of phases.entries()) table.add(name, results[index] ?? nothing());
table.add('total', all);
console.log(table.toString());

const seconds = ((performance.now() - started) / 1000).toFixed(1);
const measured = phases.map((phase) => `${phase.name}: ${ROUNDS * phase.bursts * phase.load.requests}`);
console.log(
  `Requests per agent: ${measured.join(', ')}. Connections and resumed handshakes are the server's count,\n` +
    `with those that warmed the agent up. CPU is this process's; the server is another. ${seconds} s.`,
);

const samples = names.flatMap((name) => all[name].samples);
const [error] = samples.flatMap(({ errors }) => errors);
if (error !== undefined || samples.some(({ lost }) => lost > 0)) {
  console.error('Requests were lost, or failed.', error ?? '');
  process.exitCode = 1;
}
