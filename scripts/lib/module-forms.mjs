// Makes the two modules that are published of a bundled ES module, line by line, so that they differ in nothing but how they load. The code that
// bundlers make for that reads an import anew at each use: a function of Node's that somebody has replaced since (a fake timer, say) would be found in one of
// the builds and not in the other; and each use would cost more.
import { parseAst } from 'rolldown/parseAst';
import { LATE_REQUIRE, MAIN_SPECIFIER } from './late-forms.mjs';

/** The one module of Node's that the ES module imports: nothing in it is loaded late, and it shows bundlers that this is for Node. */
const IMPORTED = 'node:https';

/** Where a file is loaded late. Short code has back quotes. */
const LATE = new RegExp(`\\b${LATE_REQUIRE}\\(["\`]([^"\`]+)["\`]\\)`, 'g');

/** The parameter of the function that such a file is. Nothing in src/ has this name. */
const GIVEN = 'givenModules';

/** An ES module has no `require`. `createRequire` is called only when it is needed, because that takes time, too. */
const CREATE_REQUIRE = `${builtin('node:module')}.createRequire`;

/**
 * An ES module that does not `import` Node's modules, but asks Node for them. To `import` one reads everything that it exports, what it would
 * load only when it is used included: `node:http` of Node 22 and later loads all of `undici`, which costs more than this package.
 *
 * @param {string} code as rolldown writes it: no default exports, no top-level await, no re-exports
 */
export function toEsModule(code) {
  const result = rewrite(code, (node) => {
    const { type, source } = node;
    if (type !== 'ImportDeclaration' || !source.value.startsWith('node:') || source.value === IMPORTED)
      return;
    return constants(node, builtin(source.value));
  });
  return requiringLate(result, `${CREATE_REQUIRE}(import.meta.url)`);
}

/** @param {string} code the same */
export function toCommonJs(code) {
  const result = rewrite(code, (node) => {
    if (node.type === 'ImportDeclaration') {
      return constants(node, required(requiredFor(node.source.value)));
    }
    if (node.type === 'ExportNamedDeclaration' && !node.declaration && !node.source) {
      return `module.exports = { ${node.specifiers.map(exportedOf).join(', ')} };`;
    }
    if (node.type.startsWith('Export')) throw new Error(`Not prepared for an ${node.type}`);
  });
  const marks = `"use strict";Object.defineProperty(exports, "__esModule", { value: true });`;
  return marks + requiringLate(result.replaceAll('import.meta.url', '__filename'), 'require');
}

/**
 * The two forms of a file that is loaded late: a function that is given modules of other files and returns what the file exports. In parentheses, V8
 * reads it once, and not twice.
 *
 * @param {string} code the same; modules of other files are imported by the specifiers that `isGiven` knows
 * @returns {{ commonJs: string, esModule: string, needs: Map<string, Set<string>> }}
 */
export function toLateFile(code, isGiven) {
  if (new RegExp(`\\b${GIVEN}\\b`).test(code)) throw new Error(`${GIVEN} is a name in src/`);
  const needs = new Map();
  const loaded = (load) =>
    rewrite(code, (node) => {
      if (node.type === 'ExportNamedDeclaration')
        return `return { ${node.specifiers.map(exportedOf).join(', ')} };`;
      if (node.type !== 'ImportDeclaration') return;
      const specifier = node.source.value;
      if (!isGiven(specifier)) return constants(node, load(specifier));
      if (node.specifiers.length === 0) return '';
      // One without `imported` is that of a default export: a module of Node's as a whole.
      const names = node.specifiers.map(({ imported, local }) => [imported?.name ?? 'default', local.name]);
      needs.set(specifier, new Set(names.map(([name]) => name)));
      const members = names.map(([name, local]) => member(name, local));
      return `const { ${members.join(', ')} } = ${GIVEN}[${JSON.stringify(specifier)}];`;
    });
  const strict = loaded(required).replaceAll('import.meta.url', '__filename');
  return {
    needs,
    commonJs: `"use strict";exports.create = (function (${GIVEN}) { ${beforeMap(strict, ' });')}`,
    esModule: `export const create = (function (${GIVEN}) { ${beforeMap(loaded(builtin), ' });')}`,
  };
}

/** Puts `end` behind the code, and before the line that names its map. */
function beforeMap(code, end) {
  return code.replace(/(?=\n\/\/# sourceMappingURL=[^\n]*\n?$)/, end);
}

/** @param load what loads the files that are loaded late: quoted, so that each bundler sees which these are */
function requiringLate(code, load) {
  return code.replaceAll(LATE, (_, name) => `${load}(${JSON.stringify(name)})`);
}

function builtin(name) {
  return `process.getBuiltinModule(${JSON.stringify(name)})`;
}

function required(name) {
  return `require(${JSON.stringify(name)})`;
}

/** The file that a CommonJS module requires where the ES module imports `specifier`. */
function requiredFor(specifier) {
  return specifier === MAIN_SPECIFIER ? './index.cjs' : specifier.replace(/^(\.\.?\/.*)\.js$/, '$1.cjs');
}

/** Puts for each statement what `textFor` gives for it, if anything, in as many lines. */
function rewrite(code, textFor) {
  let result = '';
  let end = 0;
  for (const node of parseAst(code).body) {
    const text = textFor(node);
    if (text === undefined) continue;
    const lines = code.slice(node.start, node.end).split('\n').length - 1;
    result += code.slice(end, node.start) + text + '\n'.repeat(lines);
    end = node.end;
  }
  return result + code.slice(end);
}

/** The names that an import declaration declares, as constants that are read from the module `loaded`. */
function constants({ specifiers }, loaded) {
  if (specifiers.length === 0) return `${loaded};`;
  const named = specifiers.filter(({ type }) => type === 'ImportSpecifier');
  const whole = specifiers.filter(({ type }) => type !== 'ImportSpecifier').map(({ local }) => local.name);
  const names = named.map(({ imported, local }) => member(imported.name, local.name));
  return [...whole, ...(names.length > 0 ? [`{ ${names.join(', ')} }`] : [])]
    .map((pattern) => `const ${pattern} = ${loaded};`)
    .join(' ');
}

function exportedOf({ local, exported }) {
  return member(exported.name, local.name);
}

/** A member of an object, or of a pattern, for a variable that may have another name. */
function member(name, local) {
  return name === local ? name : `${name}: ${local}`;
}
