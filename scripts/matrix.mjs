// `npm run test:matrix`: the whole suite on every supported major version of Node. `npm run test:next`: on the newest version that
// there is, supported or not: what breaks there will break for users in some months.
import { parseArgs } from 'node:util';
import { installNode, newestVersion } from './lib/nodes.mjs';
import { run } from './lib/run.mjs';
import { runSuite, summary } from './lib/suite.mjs';

const MAJORS = ['20', '22', '24', '26'];
const CURRENT = process.versions.node.replace(/\..*/, '');

const USAGE = `usage: npm run test:matrix -- [--only 22,24 | --others | --next] [--verbose]
  --only     of ${MAJORS.join(', ')}, these
  --others   all but the one that runs this, ${CURRENT}
  --next     only the newest version in the npm registry
  --verbose  show every test, not only the failures and the summary`;

const { majors: chosen, isNext, isVerbose } = readArguments();
const versions = isNext ? [await newestVersion()] : chosen;
if (!(await run('npm', ['run', '--silent', 'build:all'])).ok) process.exit(1);

const failed = [];
for (const version of versions) {
  const node = version === CURRENT ? process.execPath : await installNode(version);
  const { stdout } = await run(node, ['--version'], { quiet: true });
  const found = stdout.trim();
  console.log(`\nNode ${found}`);
  const { ok, output } = await runSuite(node, [], { quiet: !isVerbose, verbose: isVerbose });
  if (!isVerbose) console.log(summary(output));
  if (!ok) failed.push(found);
}
if (failed.length > 0) {
  console.error(`\nThe suite failed on Node ${failed.join(', ')}.`);
  process.exitCode = 1;
}

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string' },
        others: { type: 'boolean', default: false },
        next: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
      },
    });
    if (Number(values.only !== undefined) + Number(values.others) + Number(values.next) > 1) {
      throw new Error('--only, --others and --next exclude each other');
    }
    const wanted = values.only?.split(',') ?? MAJORS.filter((major) => !(values.others && major === CURRENT));
    const unknown = wanted.filter((major) => !MAJORS.includes(major));
    if (unknown.length > 0) throw new Error(`not in the matrix: ${unknown.join(', ')}`);
    const majors = MAJORS.filter((major) => wanted.includes(major));
    return { majors, isNext: values.next, isVerbose: values.verbose };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}
