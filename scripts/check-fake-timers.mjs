// `npm run check:fake-timers`: runs the pool below the fake timers of jest and vitest. Both are large, and so no dependencies of ours: they are
// installed in a temporary project, beside the package as it would be published. The scenario of test/contract is run there, which `npm test` runs
// below node:test and sinon's fake timers.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, run } from './lib/run.mjs';

const TOOLS = { jest: '30.5.2', vitest: '4.1.12' };

/** Milliseconds for the tests of one tool. */
const TIMEOUT = 60_000;

/** Milliseconds for each test. */
const TEST_TIMEOUT = 20_000;

const project = mkdtempSync(join(tmpdir(), 'fake-timers-'));
let failures = 0;
try {
  await makeProject();
  for (const [tool, args] of [
    ['jest', ['bin/jest.js', '--ci', '--forceExit']],
    ['vitest', ['vitest.mjs', 'run']],
  ]) {
    await check(tool, args);
  }
} finally {
  rmSync(project, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

/** Runs the tests that stand in the project for `tool`. */
async function check(tool, [script, ...args]) {
  const load = createRequire(join(project, 'package.json'));
  const { engines, version } = load(`${tool}/package.json`);
  const title = `${tool} ${version}`;
  // `semver` is one of jest's own dependencies.
  if (!load('semver').satisfies(process.version, engines.node)) {
    console.log(`- ${title}: not for Node ${process.version}, it says (${engines.node})`);
    return;
  }
  const command = [join(project, 'node_modules', tool, script), ...args];
  // jest loads ES modules with that flag only.
  const flags = tool === 'jest' ? ['--experimental-vm-modules', '--no-warnings'] : [];
  const { ok, output } = await run(process.execPath, [...flags, ...command], {
    cwd: project,
    quiet: true,
    timeout: TIMEOUT,
  });
  console.log(`${ok ? '✔' : '✖'} ${title}: before and after the package is loaded`);
  if (ok) return;
  failures++;
  console.log(output.trim().replaceAll(/^/gm, '    '));
}

async function makeProject() {
  await must('npm', ['run', '--silent', 'build']);
  await must('npm', ['run', '--silent', 'build:all']);
  const tarball = await pack();
  cpSync(join(root, 'scripts/fake-timers'), project, { recursive: true });
  const scenario = readFileSync(join(root, 'build/test/contract/fake-timers-scenario.js'), 'utf8');
  writeFileSync(join(project, 'scenario.mjs'), scenario.replace(/^\/\/# sourceMappingURL=.*/m, ''));
  const { certificate } = await import(pathToFileURL(join(root, 'build/test/support/certificate.js')).href);
  const files = {
    'package.json': { private: true, type: 'module' },
    'certificate.json': await certificate(),
    'jest.config.json': {
      projects: [jestProject('modern', false), jestProject('legacy', true)],
      testTimeout: TEST_TIMEOUT,
    },
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(project, name), JSON.stringify(content));
  }
  const config = { test: { include: ['*.vitest.mjs'], testTimeout: TEST_TIMEOUT } };
  writeFileSync(join(project, 'vitest.config.mjs'), `export default ${JSON.stringify(config)};\n`);
  const tools = Object.entries(TOOLS).map(([tool, version]) => `${tool}@${version}`);
  await must('npm', ['install', '--no-audit', '--no-fund', tarball, ...tools], project);
}

function jestProject(displayName, legacyFakeTimers) {
  return {
    displayName,
    fakeTimers: { enableGlobally: true, legacyFakeTimers },
    moduleFileExtensions: ['mjs', 'js', 'json'],
    testMatch: ['<rootDir>/*.jest.mjs'],
    transform: {},
  };
}

/** Built already, so without `prepack`. */
async function pack() {
  const { stdout } = await must('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project]);
  return join(project, JSON.parse(stdout)[0].filename);
}

async function must(command, args, cwd = root) {
  const result = await run(command, args, { cwd, quiet: true });
  if (!result.ok) throw new Error(`${command} ${args.join(' ')}\n${result.output}`);
  return result;
}
