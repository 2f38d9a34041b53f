// The test suite, as built by `npm run build:all`: which files, and how they are run.
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { root, run } from './run.mjs';
import { inGroups } from './test-groups.mjs';

/**
 * Every test file but those below the folders `without`, and without `all` those that `npm test` leaves out. They are found here, because Node 20 takes no
 * patterns, and a shell passes on one that matches nothing.
 *
 * @param {readonly string[]} without folders of test/
 * @param {boolean} all
 */
function testFiles(without, all) {
  const folder = join(root, 'build/test');
  const files = readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith('.test.js'))
    .map((path) => join(folder, path));
  if (files.length === 0) throw new Error('no test files: has `npm run build:all` been run?');
  return inGroups(files.toSorted(), folder, join(root, 'build/test-groups'), without, all);
}

/**
 * Milliseconds after which a test that does not end has failed; on Node 20 and 22 also a test file that does not, which
 * later versions wait for. Most tests have shorter limits of their own.
 */
const TEST_TIMEOUT = 300_000;

/** Test files at once: more than there are cores, since tests over sockets wait more than they work. */
const CONCURRENCY = 2 * Math.max(2, availableParallelism());

/** Milliseconds for the whole suite. The runner is asked to stop then, and tells what it was doing. */
const SUITE_TIMEOUT = 900_000;

/** Without `all`, tests whose finds are a matter of chance go on for less than half as long (test/support/effort.ts): `npm test` is run often. */
const SHORT_EFFORT = '0.4';

/** Tells of failures and of the counts at the end, in a screenful when all is well. */
const BRIEF = new URL('brief-reporter.mjs', import.meta.url).href;

/**
 * With TEST_AGAIN in the environment, a suite that has failed is run once more, and the second run counts. Tests that failed by chance are told of all the same.
 *
 * @param {string} node the binary to run it on
 * @param {readonly string[]} args for the runner
 * @param {{ quiet?: boolean, verbose?: boolean, without?: readonly string[], all?: boolean }} [options] `quiet`: collect the output; `verbose`:
 * tell of every test; `without`: folders of test/ that are left out; `all`: with the files that `npm test` leaves out (default)
 */
export async function runSuite(node, args, options = {}) {
  const first = await runOnce(node, args, options);
  if (first.ok || !process.env.TEST_AGAIN) return first;
  if (options.quiet) console.log(summary(first.output));
  console.log('\nThe suite has failed. It is run once more.');
  return runOnce(node, args, options);
}

/** The end of the runner's report: its counts, and the tests that failed. All of it, if the runner did not get there. */
export function summary(report) {
  const start = report.lastIndexOf('\nℹ tests ');
  return (start === -1 ? report : report.slice(start)).trim();
}

function runOnce(node, args, { verbose = false, without = [], all = true, ...options }) {
  const flags = [
    '--test',
    `--test-reporter=${verbose ? 'spec' : BRIEF}`,
    `--test-timeout=${TEST_TIMEOUT}`,
    `--test-concurrency=${CONCURRENCY}`,
  ];
  const env = { ...(!all && { TEST_EFFORT: SHORT_EFFORT }), ...process.env };
  return run(node, [...flags, ...args, ...testFiles(without, all)], {
    ...options,
    env,
    timeout: SUITE_TIMEOUT,
  });
}
