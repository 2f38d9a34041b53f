// `npm run build`: makes the published files. For each entry an ES module, the same as a CommonJS module, and the types of both, rolled up into one file
// that can be read from top to bottom. Comments are in the types and in src/, which is published, too: source maps lead there.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { buildPage } from './build-page.mjs';
import { ENTRIES, MAIN, manifestFields } from './lib/entries.mjs';
import {
  ENTRY,
  entryCode,
  FIRST,
  given,
  INTERNALS,
  internalsCode,
  isGiven,
  LATE_FILES,
  lateCode,
  lateEntryCode,
  lateModule,
  LOADER,
  loaderCode,
  MAIN_SPECIFIER,
  WHOLE,
  wholeCode,
} from './lib/late-forms.mjs';
import { breakLines } from './lib/line-breaks.mjs';
import { root, run, tsc } from './lib/run.mjs';
import { toCommonJs, toEsModule, toLateFile } from './lib/module-forms.mjs';

const dist = join(root, 'dist');
/** The types of each module by itself, until they are rolled up. */
const types = join(dist, '.types');
/** The public surface of the main entry. */
const main = join(root, ENTRIES[MAIN]);

/**
 * A third of the code are white space, and names that nobody else can see: of local variables and of private members. V8 reads all of it when the package is
 * loaded, and once more in each function when it is first called. The names that stack traces show of functions, classes and methods stay, and
 * each method has a line of its own (scripts/lib/line-breaks.mjs); nothing is rewritten.
 */
const SHORT = {
  compress: false,
  mangle: { toplevel: false, keepNames: true },
  codegen: { removeWhitespace: true },
};

rmSync(dist, { recursive: true, force: true });
checkManifest(process.argv.includes('--write-exports'));
await buildPage();
const { ok } = await run(process.execPath, [tsc, '-p', 'tsconfig.build.json']);
if (!ok) process.exit(1);
await Promise.all([
  mainCode(),
  ...Object.entries(ENTRIES).map(([name, source]) => declarations(name, source)),
  ...Object.entries(ENTRIES)
    .filter(([name]) => name !== MAIN)
    .map(([name, source]) => entry(name, join(root, source), [imports(main, MAIN_SPECIFIER)])),
]);
rmSync(types, { recursive: true });

/** "exports" of package.json follows from the list of entries; two lists would differ one day. */
function checkManifest(writes) {
  const path = join(root, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const fields = manifestFields();
  const current = Object.fromEntries(Object.keys(fields).map((name) => [name, manifest[name]]));
  if (isDeepStrictEqual(current, fields)) return;
  if (!writes) {
    console.error('package.json does not go with scripts/lib/entries.mjs: npm run build -- --write-exports');
    process.exit(1);
  }
  writeFileSync(path, `${JSON.stringify({ ...manifest, ...fields }, undefined, 2)}\n`);
}

/** The main entry, the files that it loads late, and the form of both in which all of that is imported. */
async function mainCode() {
  const members = new Set([...(await modulesOf(ENTRY, { [ENTRY]: entryCode(main) })), LOADER]);
  const first = `late:${FIRST}`;
  const inFirst = await modulesOf(first, { [first]: lateEntryCode(FIRST) }, members);
  const specifiersOfFirst = new Set([...inFirst].map(given));
  const ofMain = new Map();
  const ofFirst = new Map();
  const note = (needs) => {
    for (const [specifier, names] of needs) {
      const all = specifiersOfFirst.has(specifier) ? ofFirst : ofMain;
      all.set(specifier, new Set([...(all.get(specifier) ?? []), ...names]));
    }
  };
  for (const file of Object.keys(LATE_FILES)) {
    if (file !== FIRST)
      note(await lateFile(file, lateEntryCode(file), (id) => members.has(id) || inFirst.has(id)));
  }
  note(
    await lateFile(FIRST, lateEntryCode(FIRST, ofFirst), (id) => members.has(id) || id.startsWith('node:')),
  );
  const sources = {
    [ENTRY]: entryCode(main),
    [INTERNALS]: internalsCode(main, ofMain),
    [LOADER]: loaderCode,
  };
  const { exports } = await entry(MAIN, ENTRY, [late(), virtual(sources), imports()], sources);
  writeFileSync(join(dist, `${WHOLE}.js`), wholeCode(exports));
}

/**
 * Everything that is loaded with `source`.
 *
 * @param sources text of those that are in no file
 * @param others modules of other files
 */
async function modulesOf(source, sources, others = new Set()) {
  const modules = new Set();
  const text = { [INTERNALS]: 'export function internals() {}', [LOADER]: loaderCode, ...sources };
  const collect = {
    name: 'collect',
    moduleParsed: ({ id }) => void (isAbsolute(id) && modules.add(id)),
  };
  const bundle = await rolldown({
    input: source,
    platform: 'node',
    tsconfig: join(root, 'tsconfig.build.json'),
    plugins: [elsewhere((id) => others.has(id)), late(), virtual(text), imports(), collect],
  });
  await bundle.generate();
  await bundle.close();
  return modules;
}

/**
 * A file that is loaded late.
 *
 * @param text its source
 * @param isElsewhere knows the modules that it is given
 * @returns what it needs of them
 */
async function lateFile(name, text, isElsewhere) {
  const id = `late:${name}`;
  const plugins = [elsewhere(isElsewhere), late(), virtual({ [id]: text }), imports()];
  const { code, map } = await generate(name, id, plugins);
  const { commonJs, esModule, needs } = toLateFile(code, isGiven);
  write(name, esModule, commonJs, map);
  return needs;
}

/**
 * An entry in both forms.
 *
 * @param virtuals text of sources that are in no file, for the map
 */
async function entry(name, source, plugins, virtuals = {}) {
  const chunk = await generate(name, source, plugins);
  chunk.map.sourcesContent = chunk.map.sources.map((path) => virtuals[path.replace('../', '')] ?? null);
  write(name, toEsModule(chunk.code), toCommonJs(chunk.code), chunk.map);
  return chunk;
}

async function generate(name, source, plugins) {
  const bundle = await rolldown({
    input: { [name]: source },
    platform: 'node',
    tsconfig: join(root, 'tsconfig.build.json'),
    plugins,
  });
  const {
    output: [chunk],
  } = await bundle.generate({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    minify: SHORT,
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: false, annotation: true, jsdoc: false },
  });
  await bundle.close();
  const { exports } = chunk;
  return { exports, ...breakLines(chunk.code, JSON.parse(chunk.map.toString())) };
}

function write(name, esModule, commonJs, map) {
  const file = `${name}.cjs`;
  writeFileSync(join(dist, `${name}.js`), esModule);
  writeFileSync(join(dist, `${name}.js.map`), JSON.stringify(map));
  writeFileSync(join(dist, file), commonJs.replace(`${name}.js.map`, `${file}.map`));
  writeFileSync(join(dist, `${file}.map`), JSON.stringify({ ...map, file }));
}

async function declarations(name, source) {
  const bundle = await rollup({
    input: emitted(source),
    plugins: [
      withoutHeads(),
      imports(name === MAIN ? undefined : emitted(ENTRIES[MAIN]), `./${MAIN}.js`),
      dts(),
    ],
    onwarn: (warning) => console.warn(warning.message),
  });
  const { output } = await bundle.generate({ format: 'es' });
  const [{ code: text }] = output;
  // A private field makes the types of the two builds incompatible. At run time their instances recognise each other.
  const readable = text.replaceAll(/^ *#private;\n/gm, '').replaceAll(/\n{3,}/g, '\n\n');
  writeFileSync(join(dist, `${name}.d.ts`), readable);
  writeFileSync(join(dist, `${name}.d.cts`), readable.replaceAll(/(from '\.\/[^']+)\.js'/g, "$1.cjs'"));
}

/** The path of the types that tsc has made of a source. */
function emitted(source) {
  return join(types, relative('src', source)).replace(/\.ts$/, '.d.ts');
}

/**
 * The modules that are imported when the package runs: Node's modules, other packages, and from any other entry the main one.
 *
 * @param [front] where that lies
 * @param [specifier] by which it is imported
 */
function imports(front, specifier) {
  return {
    name: 'imports',
    resolveId(imported, importer) {
      // The entry itself, and what the bundler has of its own.
      if (importer === undefined || importer.startsWith('\0')) return null;
      if (!/^[./]/.test(imported)) return { id: imported, external: true };
      const path = sourceOf(imported, importer);
      const isMain = front !== undefined && path === front.replace(/(?:\.d)?\.ts$/, '.ts');
      return isMain ? { id: specifier, external: true } : null;
    },
  };
}

/** The file that `importer` imports by a path. */
function sourceOf(imported, importer) {
  return resolve(dirname(importer), imported).replace(/\.js$/, '.ts');
}

/** Modules that a file is given by those that were loaded before. */
function elsewhere(isElsewhere) {
  return {
    name: 'elsewhere',
    resolveId(imported, importer) {
      if (importer === undefined || importer.startsWith('\0')) return null;
      const id = imported.startsWith('.') ? sourceOf(imported, importer) : imported;
      return isElsewhere(id) ? { id: given(id), external: true } : null;
    },
  };
}

/** Modules that load something late. */
function late() {
  return {
    name: 'late',
    load(id) {
      const path = lateModule(id);
      return path === undefined ? null : { code: lateCode(path), moduleType: 'ts' };
    },
  };
}

/** Modules that are in no file. */
function virtual(sources) {
  return {
    name: 'virtual',
    resolveId: (id) => (id in sources ? id : null),
    load: (id) => (id in sources ? { code: sources[id], moduleType: 'js' } : null),
  };
}

/** The comment at the head of a module is about the module, and would stand before whatever comes first in it. */
function withoutHeads() {
  return {
    name: 'without-heads',
    transform: (text) => text.replace(/^\s*\/\*\*[^]*?\*\//, ''),
  };
}
