// Parts of the package that are loaded when they are first used, synchronously: most processes never need them, and V8 reads whatever it is given. ARCHITECTURE.md,
// "What is loaded when", has the files, and says what to do for a new module.
//
// In src/, a module named late.ts (or agent/first.ts) exports functions that return other modules as a whole (`loadTunnel`), or another package. In dist/, the modules
// that nothing but a late.ts imports are in files of their own (LATE_FILES), each of which is a function: it is given the modules of other files that
// they need, so that each object, class and symbol is there once. `require` loads them in the CommonJS module, and `createRequire` in the ES module.
//
// FIRST is loaded before any other of these files. It is given modules of the main entry, and the others get modules of both.
//
// Bundlers understand the one and not the other: what an ES module requires would be missing where their bundle runs, and of a module with
// an `import()` they make several files, which not every configuration can. So they get another main entry (WHOLE), which imports all of that,
// and hands it to the first. "exports" of package.json says who gets which: only Node has the condition "module-sync" without "module".
// Anything that knows neither condition gets the file that works everywhere.
import { readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { parseAst } from 'rolldown/parseAst';
import { root } from './run.mjs';

/**
 * Files of dist/, and the late.ts of src/ whose modules are in each. Nobody else can import them. The first one that a process loads takes Node 20 as long as
 * 30 KB of the main entry, and each further one as long as 5: a dial that offers a session needs something of two rooms, which are in one file.
 */
export const LATE_FILES = {
  pool: ['agent/first.ts'],
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

/** The file that is loaded with the first agent: all that an agent works with. */
export const FIRST = 'pool';

/**
 * Modules that are in the main entry, whoever imports them: what they take for Node's own are the functions that are there when they are loaded, and test tools may
 * replace these before the first agent is made. (Functions that modules of FIRST import from Node are read with the main entry, too.)
 */
export const AT_LOAD = [
  'node/connect-functions.ts',
  'node/interception.ts',
  'node/listeners.ts',
  'node/request-headers.ts',
  'node/timers.ts',
  'tls/context-defaults.ts',
];

/** The module that loads another package: its function, and which export that returns. */
const PACKAGE = { module: 'late.ts', load: 'loadLruCache', from: 'lru-cache', what: 'LRUCache' };

/** The main entry for bundlers. */
export const WHOLE = 'whole';

/** By this name, ES modules of dist/ import the main entry: of several in one bundle, all get the same. */
export const MAIN_SPECIFIER = '#main';

const src = join(root, 'src');
/** A property of the class `PoolingAgent`: the function that is given what is loaded late. */
const PROVIDE = 'Symbol.for("pooling-https-agent.late")';
/** The specifier of a module of another file in a file that is loaded late. */
const GIVEN = 'given:';

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
  return basename(path) === 'late.ts' || LATE_FILES[FIRST].includes(path) ? path : undefined;
}

/** A function of a late.ts. */
const LOAD = /^export function (\w+)\(\): typeof (\w+) \{\n {2}return \2;\n\}$/gm;

/** The functions of a late.ts, and the modules that they return. */
export function loadsOf(path) {
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

const others = Object.keys(LATE_FILES).filter((file) => file !== FIRST);

/** The code that requires one of these files, or takes what a bundle has of it. */
function required(file) {
  return `(provided?.${file} ?? ${LATE_REQUIRE}("./${file}.cjs"))`;
}

export const loaderCode = lines(
  `import { internals } from "${INTERNALS}";`,
  'let provided;',
  'export { provided };',
  'export function provide(modules) { provided = modules; }',
  'let first, modules, all;',
  `export function ${FIRST}() { return first ??= ${required(FIRST)}.create(modules = internals()); }`,
  'function given() {',
  `const { internals } = ${FIRST}();`,
  'return all ??= { ...modules, ...internals() }; }',
  others.map(
    (file) =>
      `let made_${file}; export function ${file}() { return made_${file} ??= ${required(file)}.create(given()); }`,
  ),
  `export function ahead() { for (const load of [${others.join(', ')}]) try { load(); } catch {} }`,
);

/**
 * The source of a file that is loaded late.
 *
 * @param {Needs} [needs] what it hands on
 */
export function lateEntryCode(file, needs) {
  const loads = LATE_FILES[file].flatMap(loadsOf);
  const modules = loads.map(({ module }) => ({ id: module, names: exportsOf(module) }));
  return lines(
    imported(modules, 'loaded'),
    // Plain objects: `export * as` would make a getter of each export.
    loads.map(({ load }, m) => `const ${load} = ${objectOf(modules[m], m, 'loaded')};`),
    `export { ${loads.map(({ load }) => load).join(', ')} };`,
    needs ? handingOn(needs) : [],
  );
}

/** The functions, classes and values that a module of src/ exports. */
function exportsOf(path) {
  return parseAst(readFileSync(path, 'utf8'), { lang: 'ts' }).body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration' || node.exportKind === 'type') return [];
    const { declaration } = node;
    if (!declaration) throw new Error(`${path}: an export without a declaration`);
    return (declaration.declarations ?? [declaration]).map(({ id }) => id.name);
  });
}

/** The statements that import `names` of each module, each by a name of its own. */
function imported(modules, prefix) {
  return modules.map(
    ({ id, names }, m) =>
      `import { ${names.map((name, n) => `${name} as ${prefix}_${m}_${n}`).join(', ')} } from ${JSON.stringify(id)};`,
  );
}

/** An object with what `imported` has imported of the `m`-th module. */
function objectOf({ names }, m, prefix) {
  return `{ ${names.map((name, n) => `${name}: ${prefix}_${m}_${n}`).join(', ')} }`;
}

/** The specifier by which a file that is loaded late gets the module `id` of another one: one of src/, the loader, or one of Node's. */
export function given(id) {
  return GIVEN + (isAbsolute(id) ? relative(src, id) : id);
}

export function isGiven(specifier) {
  return specifier.startsWith(GIVEN);
}

/** The module that `given` has written. */
function moduleOf(specifier) {
  const name = specifier.slice(GIVEN.length);
  return name === LOADER || name.startsWith('node:') ? name : join(src, name);
}

/** The source of the main entry: its modules run in the order in which `main`, where its public surface lies, imports them. */
export function entryCode(main) {
  return lines(
    `import ${JSON.stringify(INTERNALS)};`,
    `export * from ${JSON.stringify(main)};`,
    AT_LOAD.map((path) => `import ${JSON.stringify(join(src, path))};`),
  );
}

/**
 * The module that hands on modules of the main entry.
 *
 * @param {string} main where its public surface lies
 * @param {Needs} needs what it hands on
 */
export function internalsCode(main, needs) {
  return lines(
    `import { PoolingAgent } from ${JSON.stringify(main)};`,
    `import { provide } from "${LOADER}";`,
    handingOn(needs),
    `Object.defineProperty(PoolingAgent, ${PROVIDE}, { value: provide });`,
  );
}

/**
 * The function that returns modules which other files need.
 *
 * @typedef {Map<string, Set<string>>} Needs specifiers of modules, as `given` writes them, and which of their exports are needed
 * @param {Needs} needs
 */
function handingOn(needs) {
  const modules = [...needs].map(([specifier, names]) => ({
    id: moduleOf(specifier),
    specifier,
    names: [...names],
  }));
  return [
    ...imported(modules, 'late'),
    'export function internals() { return {',
    ...modules.map((module, m) => `${JSON.stringify(module.specifier)}: ${objectOf(module, m, 'late')},`),
    '}; }',
  ];
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
