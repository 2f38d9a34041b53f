// `npm run check:package`: checks the files that would be published. Packs the build, runs linters on it, and installs it in an empty
// project that loads each entry in both ways. `npm run check:loads` tries bundlers, test runners and versions of
// TypeScript.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ENTRIES, MAIN, manifestFields } from './lib/entries.mjs';
import { FIRST, LATE_FILES } from './lib/late-forms.mjs';
import { root, run, tsc } from './lib/run.mjs';

/**
 * The greatest sizes of the package, of its main entry, and of what is loaded with the first agent. A change that needs more, and is worth it, raises them.
 */
const LIMITS = {
  tarball: 1_100_000,
  unpacked: 3_800_000,
  files: 390,
  [`${MAIN}.js`]: 35_000,
  [`${FIRST}.js`]: 178_000,
};

/** Sources that hold nothing, or what all copies share, so that it does not matter how often they are there. */
const STATELESS =
  /\/src\/(?:telemetry\/.*|egress\/(?:ascii-name|socks-package)|identity\/(?:description|reference-number|removal)|errors|received\/.*|validate|process-wide|observe\/observation-key)\.ts$/;

const manifest = readManifest(root);
const { name } = manifest;
const temp = mkdtempSync(join(tmpdir(), `${name}-`));
const project = join(temp, 'project');
const bin = (tool) => join(root, 'node_modules/.bin', tool);
let failures = 0;

try {
  const { tarball, size } = await pack();
  await check('publint', () => succeeds(bin('publint'), ['run', tarball, '--strict']));
  await check('are the types wrong?', () => succeeds(bin('attw'), [tarball, '--profile', 'strict']));
  await check('knip: nothing unused, nothing undeclared', () => succeeds(bin('knip'), []));
  await check('the tarball holds what "files" says', () => checkContents(tarball));
  await check('"exports" names the entries of scripts/lib/entries.mjs', checkExports);
  await check('no source is in the code of two entries', checkBundles);
  await check('links lead somewhere', checkLinks);
  await check(`not too large: ${Object.entries(size).flat().join(' ')}`, () => checkSize(size));
  await check('runtime dependencies: debug and lru-cache; peers are optional', checkDependencies);
  await check('installs in an empty project', () => install(tarball));
  for (const entry of Object.keys(ENTRIES)) {
    const specifier = entry === MAIN ? name : `${name}/${entry}`;
    await check(`import '${specifier}'`, () => evaluate('module', `await import('${specifier}');`));
    await check(`require('${specifier}')`, () => evaluate('commonjs', `require('${specifier}');`));
  }
  await check('import loads no large part of Node that an agent has no use for', checkLoaded);
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

/** The files that `npm publish` would send. Built already, so without `prepack`. */
async function pack() {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', temp];
  const { ok, output, stdout } = await run('npm', args, { quiet: true });
  if (!ok) throw new Error(output);
  const [{ entryCount, filename, size: packed, unpackedSize }] = JSON.parse(stdout);
  const files = [`${MAIN}.js`, `${FIRST}.js`].map((file) => [file, statSync(join(root, 'dist', file)).size]);
  const size = { tarball: packed, unpacked: unpackedSize, files: entryCount, ...Object.fromEntries(files) };
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
  const missing = [
    'package.json',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
    ...targets(manifest.exports),
  ].filter((path) => !files.includes(path));
  const wrong = [
    ...strays.map((path) => `not listed: ${path}`),
    ...missing.map((path) => `missing: ${path}`),
  ];
  return wrong.length > 0 ? wrong.join('\n') : undefined;
}

function checkExports() {
  const fields = manifestFields();
  const wrong = Object.keys(fields).filter((field) => !isDeepStrictEqual(manifest[field], fields[field]));
  return wrong.length > 0
    ? `${wrong.join(', ')} of package.json: npm run build -- --write-exports`
    : undefined;
}

/** Each has its own state, or none: what two of them need, one imports from the other. */
function checkBundles() {
  const owners = new Map();
  const wrong = [];
  for (const entry of [...Object.keys(ENTRIES), ...Object.keys(LATE_FILES)]) {
    const { sources } = JSON.parse(readFileSync(join(root, `dist/${entry}.js.map`), 'utf8'));
    for (const source of sources) {
      if (STATELESS.test(source)) continue;
      if (owners.has(source)) wrong.push(`${source}: ${owners.get(source)}, ${entry}`);
      else owners.set(source, entry);
    }
  }
  return wrong.length > 0 ? wrong.join('\n') : undefined;
}

/** npm shows the README, and finds files beside it in the repository. */
function checkLinks() {
  const pages = manifest.files.filter((file) => file.endsWith('.md')).concat('README.md');
  const wrong = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(/\]\((?![a-z]+:|#)([^)#]+)(#[^)]*)?\)/g)]
      .filter(([, path]) => !existsSync(join(root, path)))
      .map(([, path]) => `${page}: ${path}`);
  });
  return wrong.length > 0 ? wrong.join('\n') : undefined;
}

/** Every file that "exports" names. */
function targets(exports) {
  if (typeof exports === 'string') return [exports.replace(/^\.\//, '')];
  return Object.values(exports).flatMap(targets);
}

function checkDependencies() {
  const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = manifest;
  const found = {
    dependencies: Object.keys(dependencies).toSorted(),
    optionalDependencies,
    peerDependencies,
    peerDependenciesMeta,
  };
  const expected = {
    dependencies: ['debug', 'lru-cache'],
    optionalDependencies: undefined,
    peerDependencies: { '@opentelemetry/api': '^1.7.0', 'prom-client': '^15.0.0', socks: '^2.8.0' },
    peerDependenciesMeta: {
      '@opentelemetry/api': { optional: true },
      'prom-client': { optional: true },
      socks: { optional: true },
    },
  };
  return isDeepStrictEqual(found, expected) ? undefined : JSON.stringify(found, undefined, 2);
}

function install(tarball) {
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "commonjs" }\n');
  const peers = Object.keys(manifest.peerDependencies).map(
    (peer) => `${peer}@${manifest.devDependencies[peer]}`,
  );
  return succeeds('npm', ['install', '--no-audit', '--no-fund', tarball, ...peers], project);
}

/** Loads the package without a warning, makes an agent, and has each file of the package loaded. */
async function evaluate(type, load) {
  const code = `${load}
    const { PoolingAgent } = process.getBuiltinModule('node:module').createRequire('${project}/')('${name}');
    const agent = new PoolingAgent({ maxSockets: 1 });
    if (!(agent instanceof process.getBuiltinModule('node:https').Agent)) throw new Error('not an https.Agent');
    agent.getName({ host: 'a' });
    new PoolingAgent({ socketTimeout: 1, proxy: 'http://a' });
    agent.destroy();`;
  const { ok, output } = await run(process.execPath, [`--input-type=${type}`, '--eval', code], {
    cwd: project,
    quiet: true,
  });
  return ok && output === '' ? undefined : output;
}

/** `import 'node:http'` would load `undici` of Node 22 and later. See scripts/lib/module-forms.mjs. */
async function checkLoaded() {
  const code = `await import('${name}'); console.log(process.moduleLoadList.filter((one) => /undici|webcrypto|perf_hooks/.test(one)).join());`;
  const { output } = await run(process.execPath, ['--input-type=module', '--eval', code], {
    cwd: project,
    quiet: true,
  });
  return output.trim() === '' ? undefined : output;
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
  return succeeds(process.execPath, [tsc, '-p', project], project);
}
