/** The lines of the published modules: one for each statement and each member of a class, and maps that lead from them to the sources. */
import assert from 'node:assert/strict';
import { SourceMap } from 'node:module';
import type { SourceMapPayload } from 'node:module';
import { test } from 'node:test';

interface Map {
  readonly version: number;
  readonly sources: string[];
  readonly names: string[];
  readonly mappings: string;
}

const { breakLines } = (await import(
  new URL('../../../scripts/lib/line-breaks.mjs', import.meta.url).href
)) as {
  breakLines(code: string, map: Map): { code: string; map: Map };
};

const PIECES = [
  'import{a}from"node:a";',
  'const b=1,c="\\n";',
  'var D=class{',
  '#e=1;',
  'f(){return this.#e}',
  'static{g()}};',
  'function g(){b;c}',
  'class H extends D{',
  'i(){}}',
  'export{H};',
];

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function vlq(value: number): string {
  const digits: string[] = [];
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  do {
    const more = rest >> 5;
    digits.push(DIGITS[(rest & 31) | (more > 0 ? 32 : 0)] as string);
    rest = more;
  } while (rest > 0);
  return digits.join('');
}

/** A map in which each character of `code` comes from its own line of the source. */
function mapOf(code: string): Map {
  const segments = Array.from(code, (_, at) => (at === 0 ? 'AAAA' : `${vlq(1)}AC${vlq(0)}`));
  return { version: 3, sources: ['a.ts'], names: [], mappings: segments.join(',') };
}

test('each statement and each member of a class begins a line', () => {
  const code = PIECES.join('');
  assert.deepEqual(breakLines(code, mapOf(code)).code.split('\n'), PIECES);
});

test('each character is mapped to where it was mapped before', () => {
  const code = PIECES.join('');
  const { code: broken, map } = breakLines(code, mapOf(code));
  const found = new SourceMap(map as unknown as SourceMapPayload);
  let at = 0;
  for (const [line, text] of broken.split('\n').entries()) {
    for (let column = 0; column < text.length; column++, at++) {
      const entry = found.findEntry(line, column) as { generatedColumn: number; originalLine: number };
      assert.equal(entry.originalLine, at, `line ${line}, column ${column}`);
      assert.equal(entry.generatedColumn, column);
    }
  }
  assert.equal(at, code.length);
});

test('lines that are there stay, and so does what is mapped to nothing', () => {
  const code = '// a\nconst b=`\n`;const c=1;\n//# sourceMappingURL=a.js.map\n';
  const { code: broken, map } = breakLines(code, { ...mapOf(''), mappings: ';;EAEC' });
  assert.equal(broken, '// a\nconst b=`\n`;\nconst c=1;\n//# sourceMappingURL=a.js.map\n');
  const found = new SourceMap(map as unknown as SourceMapPayload).findEntry(3, 0) as { originalLine: number };
  assert.equal(found.originalLine, 2, 'the statement c');
  assert.equal(map.mappings, ';;;AAEC');
});
