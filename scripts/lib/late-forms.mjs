// Parts of the package that are loaded when they are first used, synchronously: most processes never need them, and V8 reads whatever it is given.
//
// In src/, a module named late.ts exports functions that return other modules as a whole (`loadTunnel`), or another package. In dist/, the modules that
// nothing but a late.ts imports are in files of their own (LATE_FILES), each of which is a function: it is given the modules of the main entry that
// they need, so that each object, class and symbol is there once. `require` loads them in the CommonJS module, and `createRequire` in the ES module.
//
// Bundlers understand the one and not the other: what an ES module requires would be missing where their bundle runs, and of a module with
// an `import()` they make several files, which not every configuration can. So they get another main entry (WHOLE), which imports all of that,
// and hands it to the first. "exports" of package.json says who gets which: only Node has the condition "module-sync" without "module".
// Anything that knows neither condition gets the file that works everywhere.
import { readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { root } from './run.mjs';

/**
 * Files of dist/, and the late.ts of src/ whose modules are in each. Nobody else can import them. The first one that a process loads takes Node 20 as long as
 * 30 KB of the main entry, and each further one as long as 5: a dial that offers a session needs something of two rooms, which are in one file.
 */
export const LATE_FILES = {
  agents: ['agent/late.ts'],
  recovery: ['connections/late.ts', 'sessions/late.ts'],
  rules: ['egress/late.ts', 'limits/late.ts'],
  steering: [
    'identity/late.ts',
    'lifecycle/late.ts',
    'observe/late.ts',
    'options/late.ts',
    'pool/late.ts',
    'received/late.ts',
    'tls/late.ts',
  ],
};

/** The module that loads another package: its function, and which export that returns. */
const PACKAGE = { module: 'late.ts', load: 'loadLruCache', from: 'lru-cache', what: 'LRUCache' };

/** The main entry for bundlers. */
export const WHOLE = 'whole';

/** By this name, ES modules of dist/ import the main entry: of several in one bundle, all get the same. */
export const MAIN_SPECIFIER = '#main';

const src = join(root, 'src');
/** A property of the class `PoolingAgent`: the function that is given what is loaded late. */
const PROVIDE = 'Symbol.for("pooling-https-agent.late")';
/** The specifier of a module of the main entry in a file that is loaded late. */
const FROM_MAIN = 'main:';

/** The forms of "exports" and of "imports". */
export const mainForms = {
  module: `./dist/${WHOLE}.js`,
  'module-sync': './dist/index.js',
  default: `./dist/${WHOLE}.js`,
};
export const lateImports = { [MAIN_SPECIFIER]: mainForms };

/** @returns {string | undefined} the path below src/ of `id`, if it is a module that loads something late */
export function lateModule(id) {
  const path = relative(src, id);
  return basename(path) === 'late.ts' ? path : undefined;
}

/** A function of a late.ts. */
const LOAD = /^export function (\w+)\(\): typeof (\w+) \{\n {2}return \2;\n\}$/gm;

/** The functions of a late.ts, and the modules that they return. */
function loadsOf(path) {
  const text = readFileSync(join(src, path), 'utf8');
  const modules = new Map(
    [...text.matchAll(/^import \* as (\w+) from '(\.{1,2}\/[\w/-]+)\.js';$/gm)].map(([, name, file]) => [
      name,
      join(src, dirname(path), `${file}.ts`),
    ]),
  );
  return [...text.matchAll(LOAD)].map(([, load, name]) => ({ load, module: modules.get(name) }));
}

/** The code that replaces a late.ts in the main entry, with as many lines: stack traces lead to them. */
export function lateCode(path) {
  if (path === PACKAGE.module) {
    const { from, load, what } = PACKAGE;
    return lines(
      `import { ahead, provided } from "${LOADER}";`,
      `let made; export function ${load}() { return made ??= (provided?.["${from}"] ?? ${LATE_REQUIRE}("${from}")).${what}; }`,
      'export { ahead as loadAhead };',
    );
  }
  const [file] = Object.entries(LATE_FILES).find(([, paths]) => paths.includes(path)) ?? [];
  if (!file) throw new Error(`src/${path} is in none of LATE_FILES`);
  const text = readFileSync(join(src, path), 'utf8')
    .replaceAll(/^import .*$/gm, '')
    .replaceAll(LOAD, (_, load) => `export function ${load}() {\n  return ${file}().${load};\n}`);
  return `import { ${file} } from "${LOADER}";${text}`;
}

/** The function that requires, before the code is made a module of either form: bundlers have ideas of their own about `require`. */
export const LATE_REQUIRE = 'lateRequire';

/** Modules that are in no file: the one that loads, and the one that knows what is to be handed on. */
export const ENTRY = 'late:entry';
export const LOADER = 'late:loader';
export const INTERNALS = 'late:internals';

export const loaderCode = lines(
  `import { internals } from "${INTERNALS}";`,
  'let provided;',
  'export { provided };',
  'export function provide(modules) { provided = modules; }',
  Object.keys(LATE_FILES).map(
    (file) =>
      `let made_${file}; export function ${file}() { return made_${file} ??= (provided?.${file} ?? ${LATE_REQUIRE}("./${file}.cjs")).create(internals()); }`,
  ),
  `export function ahead() { for (const load of [${Object.keys(LATE_FILES).join(', ')}]) try { load(); } catch {} }`,
);

/** The source of a file that is loaded late. */
export function lateEntryCode(file) {
  const loads = LATE_FILES[file].flatMap(loadsOf);
  return lines(loads.map(({ load, module }) => `export * as ${load} from ${JSON.stringify(module)};`));
}

export function fromMain(id) {
  return FROM_MAIN + relative(src, id);
}

export function isFromMain(specifier) {
  return specifier.startsWith(FROM_MAIN);
}

/** The source of the main entry: its modules run in the order in which `main`, where its public surface lies, imports them. */
export function entryCode(main) {
  return lines(`import ${JSON.stringify(INTERNALS)};`, `export * from ${JSON.stringify(main)};`);
}

/**
 * The module that hands on modules of the main entry.
 *
 * @param {string} main where its public surface lies
 * @param {Map<string, Set<string>>} needs modules, as `fromMain` writes them, and which of their exports are handed on
 */
export function internalsCode(main, needs) {
  const modules = [...needs].map(([specifier, names], m) => ({
    id: join(src, specifier.slice(FROM_MAIN.length)),
    specifier,
    names: [...names].map((name, n) => ({ name, local: `late_${m}_${n}` })),
  }));
  return lines(
    `import { PoolingAgent } from ${JSON.stringify(main)};`,
    `import { provide } from "${LOADER}";`,
    modules.map(
      ({ id, names }) =>
        `import { ${names.map(({ name, local }) => `${name} as ${local}`).join(', ')} } from ${JSON.stringify(id)};`,
    ),
    'export function internals() { return {',
    modules.map(
      ({ specifier, names }) =>
        `${JSON.stringify(specifier)}: { ${names.map(({ name, local }) => `${name}: ${local}`).join(', ')} },`,
    ),
    '}; }',
    `Object.defineProperty(PoolingAgent, ${PROVIDE}, { value: provide });`,
  );
}

/** The main entry for bundlers. */
export function wholeCode(names) {
  const { from } = PACKAGE;
  const files = Object.keys(LATE_FILES);
  return lines(
    `import { ${names.join(', ')} } from "./index.js";`,
    `import * as other from "${from}";`,
    files.map((file) => `import * as ${file} from "./${file}.js";`),
    `PoolingAgent[${PROVIDE}]({ "${from}": other, ${files.join(', ')} });`,
    `export { ${names.join(', ')} };`,
  );
}

function lines(...parts) {
  return `${parts.flat().join('\n')}\n`;
}
