// `npm run test:mutation`: breaks src/ in many small ways, one at a time, and sees whether a test notices. A change that none notices
// wants a test, or is in code that nobody needs. Works on a copy of the project; changes that survive are shown, and in
// reports/mutation/ROOM.html with the code around them. A room takes from minutes to an hour or more.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOMS } from './lib/rooms.mjs';
import { root, run } from './lib/run.mjs';

const USAGE = `usage: npm run test:mutation -- [--room NAME]... [--file FILE]... [--concurrency N]
  --room         of ${Object.keys(ROOMS).join(', ')}: these (default: all, one after the other)
  --file         of the one room given, only this file, such as pool/heap.ts, or lines of it: pool/heap.ts:20-40
  --concurrency  mutants that are tried at once (default: one for each processor)`;

/** Milliseconds that tests may take longer than without a mutant. Those over real connections do on a busy machine. */
const PATIENCE = 20_000;

const REPORTS = 'reports/mutation';

const { rooms, files, concurrency } = readArguments();
const scores = [];
for (const name of rooms) {
  console.log(`\nRoom ${name}`);
  const config = writeConfig(name, files);
  const { ok } = await run(join(root, 'node_modules/.bin/stryker'), ['run', config]);
  if (!ok) process.exit(1);
  scores.push(...scoresOf(name));
}
console.table(scores);

function readArguments() {
  try {
    const options = {
      room: { type: 'string', multiple: true, default: Object.keys(ROOMS) },
      file: { type: 'string', multiple: true, default: [] },
      concurrency: { type: 'string', default: String(availableParallelism()) },
    };
    const { values } = parseArgs({ options });
    const unknown = values.room.find((name) => !Object.hasOwn(ROOMS, name));
    if (unknown !== undefined) throw new Error(`there is no room ${unknown}`);
    if (values.file.length > 0 && values.room.length !== 1) throw new Error('--file wants one --room');
    if (!/^[1-9]\d*$/.test(values.concurrency)) throw new Error('--concurrency wants a number from 1 on');
    return { rooms: values.room, files: values.file, concurrency: Number(values.concurrency) };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return process.exit(2);
  }
}

/** Returns the path of a configuration for Stryker. */
function writeConfig(name, only) {
  const { sources, tests, patience = PATIENCE } = ROOMS[name];
  const config = {
    mutate: (only.length > 0 ? only : sources).map(mutated),
    // Mostly the words of errors; the others are names, which the types check.
    mutator: { excludedMutations: ['StringLiteral'] },
    // Stryker would adapt the configuration of TypeScript by an interface that version 7 does not have; nothing needs adapting.
    tsconfigFile: 'none',
    buildCommand: 'tsc -p tsconfig.json',
    plugins: ['@stryker-mutator/tap-runner'],
    testRunner: 'tap',
    tap: {
      testFiles: [...new Set(tests.flatMap(compiled))],
      nodeArgs: [
        '--test-reporter=tap',
        '--import',
        './scripts/lib/no-shrinking.mjs',
        '-r',
        '{{hookFile}}',
        '{{testFile}}',
      ],
      forceBail: true,
    },
    coverageAnalysis: 'perTest',
    concurrency,
    timeoutMS: patience,
    ignorePatterns: [
      'build',
      'coverage',
      'dist',
      'docs',
      'reports',
      '*.md',
      'test/{clients,interop,soak,types}',
    ],
    tempDirName: '.stryker-tmp',
    cleanTempDir: 'always',
    reporters: ['progress', 'clear-text', 'html', 'json'],
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
    htmlReporter: { fileName: `${REPORTS}/${name}.html` },
    jsonReporter: { fileName: `${REPORTS}/${name}.json` },
  };
  const path = join(REPORTS, `${name}.config.json`);
  mkdirSync(join(root, REPORTS), { recursive: true });
  writeFileSync(join(root, path), JSON.stringify(config, undefined, 2));
  return path;
}

/** The part of src/ that is broken: a file, lines of it, or all in a folder. */
function mutated(path) {
  return /\.ts(?::|$)/.test(path) ? `src/${path}` : `src/${path}/**/*.ts`;
}

/** The names that a test file, or those of a folder below test/, have when they are built. */
function compiled(path) {
  const isFolder = statSync(join(root, 'test', path)).isDirectory();
  const paths = isFolder ? readdirSync(join(root, 'test', path)).map((file) => `${path}/${file}`) : [path];
  return paths
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => `build/test/${file.replace(/ts$/, 'js')}`);
}

/** By file: how many mutants there were, and the share of them that a test noticed. */
function scoresOf(name) {
  const report = JSON.parse(readFileSync(join(root, REPORTS, `${name}.json`), 'utf8'));
  return Object.entries(report.files).map(([file, { mutants }]) => {
    const valid = mutants.filter(({ status }) => !/Error$|^Ignored$/.test(status));
    const noticed = valid.filter(({ status }) => status === 'Killed' || status === 'Timeout');
    const percent = ((100 * noticed.length) / valid.length).toFixed(1);
    return { room: name, file, mutants: valid.length, noticed: noticed.length, percent };
  });
}
