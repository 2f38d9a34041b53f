// `npm test`: the whole suite on the Node that runs this. `--verbose` shows every test; other arguments go to the test
// runner (`npm test -- --test-name-pattern=limits`).
import { runSuite } from './lib/suite.mjs';

const args = process.argv.slice(2);
const verbose = args.includes('--verbose');
const { ok } = await runSuite(
  process.execPath,
  args.filter((argument) => argument !== '--verbose'),
  { verbose },
);
process.exitCode = ok ? 0 : 1;
