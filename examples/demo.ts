/**
 * The demo (`npm run demo`): Node's own agent, agentkeepalive and PoolingAgent side by side, for half a minute. It compares their speed, then the errors that
 * callers get of servers that misbehave, and ends with a sentence. Exits with 1 if PoolingAgent has lost a request, with 2 for unknown arguments. Options: `-- --help`.
 */
import { parseArguments, USAGE } from './demo/arguments.js';
import { conclusion, lostByUs } from './demo/conclusion.js';
import type { AllResults } from './demo/conclusion.js';
import { contest } from './demo/contest.js';
import type { Results } from './demo/contest.js';
import { servePage } from './demo/inspect.js';
import { wrap } from './demo/layout.js';
import { phases } from './demo/phases.js';
import { Progress } from './demo/progress.js';
import { LEGEND, phaseReport } from './demo/report.js';
import { paintFor } from './demo/style.js';
import { startTarget } from './demo/target.js';

/** Milliseconds that all phases may take: what one takes too long on a busy machine, those after it do without. */
const BUDGET = 26_000;

async function demo(inspect: boolean): Promise<void> {
  const started = performance.now();
  const paint = paintFor(process.stdout);
  const target = await startTarget();
  if (inspect) console.log(`What PoolingAgent does, live: ${await servePage()}\n`);
  console.log(
    wrap(
      `Node ${process.version}, ${process.platform}. Each agent has keepAlive: true and otherwise its defaults; they take turns in one process, ` +
        'against servers of another one, on the loopback.',
    ),
  );

  const progress = new Progress(phases.reduce((total, { time }) => total + time, 0));
  const all: Record<string, Results> = {};
  const begun = performance.now();
  for (const [index, phase] of phases.entries()) {
    progress.phase(phase.name);
    const planned = phases.slice(index).reduce((total, { time }) => total + time, 0);
    const left = begun + BUDGET - performance.now();
    const time = phase.time * Math.max(0, Math.min(1, left / planned));
    const results = await contest(phase, time, target, (agent) => progress.agent(agent));
    all[phase.name] = results;
    progress.clear();
    console.log(`\n${phaseReport(phase, results, paint)}`);
  }
  progress.end();
  target.close();

  const results = all as AllResults;
  console.log(`\n${paint('dim', wrap(LEGEND))}`);
  console.log(`\n${paint('bold', wrap(conclusion(results)))}`);
  console.log(paint('dim', `\n${((performance.now() - started) / 1000).toFixed(1)} s`));
  const lost = lostByUs(results);
  if (lost > 0) {
    console.error(`PoolingAgent has lost requests: ${lost}`);
    process.exitCode = 1;
  }
}

try {
  const { help, inspect } = parseArguments(process.argv.slice(2));
  if (help) console.log(USAGE);
  else await demo(inspect);
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException;
  if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
  console.error(`${code}: ${message}\n\n${USAGE}`);
  process.exitCode = 2;
}
