// `npm test`: the suite on the Node that runs this. `--all`, or TEST_ALL in the environment, has it run the few files, too, that would make it take too long
// (scripts/lib/test-groups.mjs); `--verbose` shows every test; other arguments go to the test runner (`npm test -- --test-name-pattern=limits`).
import { runSuite } from './lib/suite.mjs';

const args = process.argv.slice(2);
const all = args.includes('--all') || Boolean(process.env.TEST_ALL);
const verbose = args.includes('--verbose');
const { ok } = await runSuite(
  process.execPath,
  args.filter((argument) => argument !== '--all' && argument !== '--verbose'),
  { all, verbose },
);
process.exitCode = ok ? 0 : 1;
