// Makes the two modules that are published of a bundled ES module, line by line, so that they differ in nothing but how they load. What bundlers
// do for that reads an import anew at each use: a function of Node's that somebody has replaced since (a fake timer, say) would be found in one of
// the builds and not in the other; and each use would cost more.
import { parseAst } from 'rolldown/parseAst';

/** The one module of Node's that the ES module imports: nothing in it is loaded late, and it shows bundlers that this is for Node. */
const IMPORTED = 'node:https';

/**
 * An ES module that does not `import` Node's modules, but asks Node for them. To `import` one reads everything that it exports, what it would
 * load only when it is used included: `node:http` of Node 22 and later loads all of `undici`, which costs more than this package.
 *
 * @param {string} code as rolldown writes it: no default exports, no top-level await, no re-exports
 */
export function toEsModule(code) {
  return rewrite(code, (node) => {
    const { type, source } = node;
    if (type !== 'ImportDeclaration' || !source.value.startsWith('node:') || source.value === IMPORTED)
      return;
    return constants(node, `process.getBuiltinModule(${JSON.stringify(source.value)})`);
  });
}

/** @param {string} code the same */
export function toCommonJs(code) {
  const result = rewrite(code, (node) => {
    if (node.type === 'ImportDeclaration') {
      return constants(
        node,
        `require(${JSON.stringify(node.source.value.replace(/^(\.\.?\/.*)\.js$/, '$1.cjs'))})`,
      );
    }
    if (node.type === 'ExportNamedDeclaration' && !node.declaration && !node.source) {
      return `module.exports = { ${node.specifiers.map(exportedOf).join(', ')} };`;
    }
    if (node.type.startsWith('Export')) throw new Error(`Not prepared for an ${node.type}`);
  });
  const marks = `"use strict";Object.defineProperty(exports, "__esModule", { value: true });`;
  return `${marks}${result.replaceAll('import.meta.url', '__filename')}`;
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
  const names = named.map(({ imported, local }) =>
    imported.name === local.name ? local.name : `${imported.name}: ${local.name}`,
  );
  return [...whole, ...(names.length > 0 ? [`{ ${names.join(', ')} }`] : [])]
    .map((pattern) => `const ${pattern} = ${loaded};`)
    .join(' ');
}

function exportedOf({ local, exported }) {
  return local.name === exported.name ? local.name : `${exported.name}: ${local.name}`;
}
