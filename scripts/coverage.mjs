// `npm run test:coverage`: the part of src/ that the suite executes, without the tests with other people's clients and servers: each promise
// has a test of our own. Fails below the floors. Details: coverage/index.html.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './lib/run.mjs';
import { runSuite } from './lib/suite.mjs';

/** Percent. */
const FLOORS = { lines: 99, branches: 96 };

const WITHOUT = ['clients', 'interop'];

rmSync(join(root, 'coverage'), { recursive: true, force: true });
process.env.NODE_V8_COVERAGE = join(root, 'coverage/v8');
const { ok } = await runSuite(process.execPath, [], { without: WITHOUT });
delete process.env.NODE_V8_COVERAGE;

const floors = Object.entries(FLOORS).flatMap(([what, percent]) => [`--${what}`, String(percent)]);
const c8 = [
  'report --temp-directory coverage/v8 --reports-dir coverage',
  '--reporter text --reporter html --skip-full',
  // The code that was executed lies in build/; the source maps lead to src/.
  '--exclude-after-remap --include src/** --exclude {test,bench,examples,scripts}/**',
  '--check-coverage --statements 0 --functions 0',
].flatMap((line) => line.split(' '));
const report = await run(join(root, 'node_modules/.bin/c8'), [...c8, ...floors]);
process.exitCode = ok && report.ok ? 0 : 1;
