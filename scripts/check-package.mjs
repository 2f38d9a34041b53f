// `npm run check:package`: is what would be published what we mean to publish? Packs the build, has linters look at
// it, and installs it in an empty project that uses it in every way we promise.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { root, run } from './lib/run.mjs';

/** What the package may take at most. Whoever exceeds one of these looks at what has grown, and raises it if that is meant. */
const LIMITS = { tarball: 500_000, unpacked: 2_100_000, files: 700 };

const manifest = readManifest(root);
const { name } = manifest;
const temp = mkdtempSync(join(tmpdir(), `${name}-`));
const project = join(temp, 'project');
const bin = (tool) => join(root, 'node_modules/.bin', tool);
let failures = 0;

try {
  const { tarball, size } = await pack();
  await check('publint', () => succeeds(bin('publint'), ['run', tarball, '--strict']));
  // ESM only, on purpose: every Node we support can require() it, as can TypeScript. attw's rule is older than that;
  // the .cts file below is the proof. `node16` leaves out module resolution "node10", which knows no "exports".
  await check('are the types wrong?', () =>
    succeeds(bin('attw'), [tarball, '--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm']),
  );
  await check('knip: nothing unused, nothing undeclared', () => succeeds(bin('knip'), []));
  await check('the tarball holds what "files" says', () => checkContents(tarball));
  await check(`not too large: ${Object.entries(size).flat().join(' ')}`, () => checkSize(size));
  await check('runtime dependencies: debug and lru-cache', checkDependencies);
  await check('installs in an empty project', () => install(tarball));
  await check('import', () => evaluate('module', `import { PoolingAgent } from '${name}';`));
  await check('require()', () => evaluate('commonjs', `const { PoolingAgent } = require('${name}');`));
  await check('types, from ESM and from CommonJS', checkTypes);
} finally {
  rmSync(temp, { recursive: true, force: true });
}
process.exitCode = failures === 0 ? 0 : 1;

/** @param {() => Promise<string | undefined> | string | undefined} body resolves to what is wrong, if anything is */
async function check(title, body) {
  const wrong = await body();
  console.log(`${wrong === undefined ? '✔' : '✖'} ${title}`);
  if (wrong === undefined) return;
  failures++;
  console.log(wrong.trim().replaceAll(/^/gm, '    '));
}

async function succeeds(command, args, cwd = root) {
  const { ok, output } = await run(command, args, { cwd, quiet: true });
  return ok ? undefined : output || `${basename(command)} failed and says nothing`;
}

function readManifest(directory) {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
}

/** What `npm publish` would send. Built already, so without `prepack`. */
async function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', temp];
  const { ok, output, stdout } = await run('npm', args, { quiet: true });
  if (!ok) throw new Error(output);
  const [{ entryCount, filename, size: packed, unpackedSize }] = JSON.parse(stdout);
  const size = { tarball: packed, unpacked: unpackedSize, files: entryCount };
  return { tarball: join(temp, filename), size };
}

/** Bytes, and a number of files. */
function checkSize(size) {
  const wrong = Object.entries(LIMITS)
    .filter(([what, limit]) => size[what] > limit)
    .map(([what, limit]) => `${what}: ${size[what]}, and ${limit} at most`);
  return wrong.length > 0 ? wrong.join('\n') : undefined;
}

async function checkContents(tarball) {
  const { output, stdout, ok } = await run('tar', ['-tzf', tarball], { quiet: true });
  if (!ok) return output;
  const files = stdout
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''));
  const allowed = /^(package\.json|README\.md|LICENSE)$/;
  const isListed = (path) => manifest.files.some((entry) => path === entry || path.startsWith(`${entry}/`));
  const strays = files.filter((path) => !allowed.test(path) && !isListed(path));
  const missing = ['package.json', 'README.md', 'LICENSE', ...targets(manifest.exports)].filter(
    (path) => !files.includes(path),
  );
  const wrong = [
    ...strays.map((path) => `not listed: ${path}`),
    ...missing.map((path) => `missing: ${path}`),
  ];
  return wrong.length > 0 ? wrong.join('\n') : undefined;
}

/** Every file that "exports" names. */
function targets(exports) {
  if (typeof exports === 'string') return [exports.replace(/^\.\//, '')];
  return Object.values(exports).flatMap(targets);
}

function checkDependencies() {
  const { dependencies, optionalDependencies, peerDependencies } = manifest;
  const found = {
    dependencies: Object.keys(dependencies).toSorted(),
    optionalDependencies,
    peerDependencies,
  };
  const expected = {
    dependencies: ['debug', 'lru-cache'],
    optionalDependencies: undefined,
    peerDependencies: undefined,
  };
  return isDeepStrictEqual(found, expected) ? undefined : JSON.stringify(found, undefined, 2);
}

function install(tarball) {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "commonjs" }\n');
  return succeeds('npm', ['install', '--no-audit', '--no-fund', tarball], project);
}

/** Loads the package, without a warning, and makes an agent of it. */
async function evaluate(type, load) {
  const code = `${load}
    const agent = new PoolingAgent({ maxSockets: 1 });
    if (!(agent instanceof process.getBuiltinModule('node:https').Agent)) throw new Error('not an https.Agent');
    agent.destroy();`;
  const { ok, output } = await run(process.execPath, [`--input-type=${type}`, '--eval', code], {
    cwd: project,
    quiet: true,
  });
  return ok && output === '' ? undefined : output;
}

function checkTypes() {
  const use = `
    const options: PoolingAgentOptions = { maxSockets: 4, scheduling: 'fifo', ca: 'PEM' };
    const agent: Agent = new PoolingAgent(options);
    // @ts-expect-error: not a word that the option knows
    new PoolingAgent({ scheduling: 'newest' });
    agent.destroy();\n`;
  const load = `import { PoolingAgent, type PoolingAgentOptions } from '${name}';\nimport { Agent } from 'node:https';`;
  const required = `import pooling = require('${name}');
    import { Agent } from 'node:https';
    const { PoolingAgent } = pooling;
    type PoolingAgentOptions = pooling.PoolingAgentOptions;`;
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: 'es2023',
    module: 'nodenext',
    typeRoots: [join(root, 'node_modules/@types')],
    types: ['node'],
  };
  writeFileSync(join(project, 'use.mts'), load + use);
  writeFileSync(join(project, 'use.cts'), required + use);
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['use.mts', 'use.cts'] }),
  );
  return succeeds(bin('tsc'), ['-p', project], project);
}
