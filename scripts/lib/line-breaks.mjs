// Gives minified code lines again: one for each statement of the module, and one for each member of a class. Whoever has no source map at hand finds the method
// that a stack trace names by its line. A line break costs V8 next to nothing; the white space within a line is what it would have to read.
import { parseAst } from 'rolldown/parseAst';

/**
 * @template {{ mappings: string }} M
 * @param {string} code an ES module
 * @param {M} map its source map
 * @returns {{ code: string, map: M }}
 */
export function breakLines(code, map) {
  const starts = lineStarts(code);
  const pieces = starts.map((start, i) => code.slice(start, starts[i + 1]));
  const broken = pieces.map((piece) => (piece.endsWith('\n') ? piece : `${piece}\n`)).join('');
  return {
    code: code.endsWith('\n') ? broken : broken.slice(0, -1),
    map: { ...map, mappings: splitMappings(code, map.mappings, starts) },
  };
}

/** Where lines begin, in ascending order: those that are there already, too. */
function lineStarts(code) {
  const starts = new Set([0]);
  for (let end = code.indexOf('\n'); end !== -1 && end + 1 < code.length; end = code.indexOf('\n', end + 1)) {
    starts.add(end + 1);
  }
  for (const statement of parseAst(code).body) {
    starts.add(statement.start);
    for (const { start } of membersOf(statement)) starts.add(start);
  }
  return [...starts].toSorted((a, b) => a - b);
}

/** The members of the classes that a statement declares. */
function membersOf({ declaration, declarations, ...statement }) {
  if (declaration) return membersOf(declaration);
  const declared = declarations ? declarations.map(({ init }) => init) : [statement];
  return declared.flatMap((node) => (node?.type.startsWith('Class') ? node.body.body : []));
}

/** A segment of a source map begins with the distance of its column from that of the segment before it in its line; the rest does not depend on lines. */
function splitMappings(code, mappings, starts) {
  const result = [];
  let lineStart = 0;
  let next = 0;
  for (const line of mappings.split(';')) {
    const lineEnd = code.indexOf('\n', lineStart);
    const end = lineEnd === -1 ? code.length : lineEnd + 1;
    const parts = [];
    let column = 0;
    let before = 0;
    let segments;
    const segmentsOf = line === '' ? [] : line.split(',');
    for (const segment of segmentsOf) {
      const { value, length } = decode(segment);
      column += value;
      while (next < starts.length && starts[next] < end && starts[next] <= lineStart + column) {
        parts.push((segments = []));
        before = starts[next++] - lineStart;
      }
      segments.push(encode(column - before) + segment.slice(length));
      before = column;
    }
    for (; next < starts.length && starts[next] < end; next++) parts.push([]);
    result.push(...parts.map((part) => part.join(',')));
    lineStart = end;
  }
  return result.join(';');
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUE = 31;
const CONTINUES = 32;

/** The first number of a segment (base 64, the least significant digits first, the sign in the lowest bit), and how many digits it has. */
function decode(segment) {
  let bits = 0;
  let length = 0;
  let digit;
  do {
    digit = DIGITS.indexOf(segment[length]);
    bits += (digit & VALUE) << (5 * length++);
  } while (digit & CONTINUES);
  return { value: bits & 1 ? -(bits >> 1) : bits >> 1, length };
}

/** @param {number} value not negative */
function encode(value) {
  let text = '';
  let bits = value << 1;
  do {
    const digit = bits & VALUE;
    bits >>= 5;
    text += DIGITS[bits > 0 ? digit | CONTINUES : digit];
  } while (bits > 0);
  return text;
}
