/** The benchmark: `npm run bench -- --help`. */
import { writeFile } from 'node:fs/promises';
import { parseArguments, USAGE } from './arguments.js';
import type { Arguments } from './arguments.js';
import { loadCase } from './cases/index.js';
import { ConfigurationError } from './configuration-error.js';
import { environment, header } from './environment.js';
import { caseReport, verdictReport } from './report.js';
import type { CaseResult } from './results.js';
import { contendersOf, runCase } from './run.js';
import type { Verdict } from './verdict.js';

const SECONDS_BETWEEN_LINES = 10;
let saidAt = -Infinity;

/** A line that changes, in a terminal; elsewhere a line now and then. */
function progress(text: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\x1b[K${text}`);
    return;
  }
  const now = performance.now() / 1000;
  if (text === '' || now - saidAt < SECONDS_BETWEEN_LINES) return;
  saidAt = now;
  process.stderr.write(`${text}\n`);
}

async function run({ cases, json, ...options }: Arguments, args: readonly string[]): Promise<void> {
  const where = environment(args);
  console.log(header(where));
  const results: CaseResult[] = [];
  const verdicts: Verdict[] = [];
  for (const name of cases) {
    const bench = await loadCase(name);
    if (contendersOf(bench, options.only).length === 0) {
      console.log(`\n# ${name}: none of the chosen contenders takes part`);
      continue;
    }
    const result = await runCase(bench, { ...options, progress });
    progress('');
    console.log(`\n${caseReport(bench, result)}`);
    results.push(result);
    verdicts.push(...bench.verdicts(result));
  }
  if (verdicts.length > 0) console.log(`\n${verdictReport(verdicts)}`);
  if (json !== undefined) {
    await writeFile(json, `${JSON.stringify({ environment: where, results, verdicts }, undefined, 2)}\n`);
  }
}

const args = process.argv.slice(2);
try {
  const parsed = parseArguments(args);
  if (parsed.help) console.log(USAGE);
  else await run(parsed, args);
} catch (error) {
  if (error instanceof ConfigurationError) {
    console.error(`${error.message}\n\n${USAGE}`);
    process.exitCode = 2;
  } else {
    console.error(error);
    process.exitCode = 1;
  }
}
