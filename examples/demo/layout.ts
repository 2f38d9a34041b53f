/** Lines of at most 100 columns. */
import type { Paint } from './style.js';

export const WIDTH = 100;

/** Columns of names; the others are as wide as their heading, or this. */
const NAME = 16;
const LEAST = 8;

const MANY = 1e6;

export interface Cell {
  readonly text: string;
  readonly format?: Parameters<Paint>[0];
}

/** One line for the headings, and one for each row: its name on the left, its figures to the right. */
export function table(
  heads: readonly string[],
  rows: readonly (readonly [name: Cell, ...figures: Cell[]])[],
  paint: Paint,
): string {
  const widths = heads.map((head) => Math.max(head.length, LEAST));
  const line = ([name, ...figures]: readonly [Cell, ...Cell[]]): string =>
    [{ ...name, text: name.text.padEnd(NAME) }]
      .concat(figures.map((cell, i) => ({ ...cell, text: cell.text.padStart(widths[i] ?? LEAST) })))
      .map(({ text, format }) => (format === undefined ? text : paint(format, text)))
      .join('  ');
  const head = line([{ text: '' }, ...heads.map((text): Cell => ({ text, format: 'dim' }))]);
  return [head, ...rows.map(line)].map((each) => `  ${each}`.trimEnd()).join('\n');
}

/** Breaks text between words. */
export function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join('\n');
}

/** A number, in as few digits as say something: 12,345, 12.3, 1.23; 1.2M, so that it fits into its column. */
export function figure(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return '–';
  if (value >= MANY) return value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
