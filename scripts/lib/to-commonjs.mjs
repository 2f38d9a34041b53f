// Makes a CommonJS module of a bundled ES module, line by line, so that the two differ in nothing but how they load. What bundlers do for that
// reads an import anew at each use: a function of Node's that somebody has replaced since (a fake timer, say) would be found in one of the
// builds and not in the other; and each use would cost more.
import { parseAst } from 'rolldown/parseAst';

/** @param {string} code as rolldown writes it: no default exports, no top-level await, no re-exports */
export function toCommonJs(code) {
  let result = '';
  let end = 0;
  const replace = (node, text) => {
    const lines = code.slice(node.start, node.end).split('\n').length - 1;
    result += code.slice(end, node.start) + text + '\n'.repeat(lines);
    end = node.end;
  };
  for (const node of parseAst(code).body) {
    if (node.type === 'ImportDeclaration') replace(node, requireOf(node));
    else if (node.type === 'ExportNamedDeclaration' && !node.declaration && !node.source) {
      replace(node, `module.exports = { ${node.specifiers.map(exportedOf).join(', ')} };`);
    } else if (node.type.startsWith('Export')) throw new Error(`Not prepared for an ${node.type}`);
  }
  result += code.slice(end);
  const marks = `"use strict";Object.defineProperty(exports, "__esModule", { value: true });`;
  return `${marks}${result.replaceAll('import.meta.url', '__filename')}`;
}

function requireOf({ specifiers, source }) {
  const loaded = `require(${JSON.stringify(source.value.replace(/^(\.\.?\/.*)\.js$/, '$1.cjs'))})`;
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
