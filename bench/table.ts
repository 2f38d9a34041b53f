/** Tables of text. */
import Table from 'cli-table3';

/** @param align of each column: numbers are right-aligned */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  align: readonly Align[],
): string {
  const made = new Table({
    head: [...head],
    colAligns: [...align],
    // No colours: the output ends up in files.
    style: { head: [], border: [], compact: true },
  });
  for (const row of rows) made.push([...row]);
  return made.toString();
}

type Align = 'left' | 'right';
