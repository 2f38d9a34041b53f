// `npm test`: the whole suite on the Node that runs this. Arguments go to the test runner
// (`npm test -- --test-name-pattern=limits`).
import { runSuite } from './lib/suite.mjs';

const { ok } = await runSuite(process.execPath, process.argv.slice(2));
process.exitCode = ok ? 0 : 1;
