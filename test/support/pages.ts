/** The Markdown pages of the project, for tests of what they say. */
import { readdirSync, readFileSync } from 'node:fs';

/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);

/** Their paths from the root: those of the root, and those of docs/. */
export function pages(): string[] {
  return ['', 'docs/'].flatMap((folder) =>
    readdirSync(new URL(folder, ROOT))
      .filter((file) => file.endsWith('.md'))
      .map((file) => folder + file),
  );
}

const BLOCK = /^(?<indent> *)(?<fence>```+)(?<language>.*)\n(?<code>(?:.*\n)*?)\k<indent>\k<fence> *$/gm;

/** A page without its blocks of code. */
export function proseOf(text: string): string {
  return text.replaceAll(BLOCK, '');
}

export interface CodeBlock {
  /** The word behind the fence. */
  readonly language: string;
  readonly code: string;
  /** The line of the page on which the code begins. */
  readonly line: number;
}

export function blocksOf(path: string): CodeBlock[] {
  const text = readFileSync(new URL(path, ROOT), 'utf8');
  return [...text.matchAll(BLOCK)].map(({ index, groups = {} }) => ({
    language: groups['language'] ?? '',
    code: groups['code'] ?? '',
    line: text.slice(0, index).split('\n').length + 1,
  }));
}
