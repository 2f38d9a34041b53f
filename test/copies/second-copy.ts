/** A second copy of the package in this process: the same files once more, elsewhere. */
import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Copy } from './scenario.js';

export async function secondCopy(): Promise<Copy> {
  const [from, to] = ['../../src/', `../../copies/${process.pid}/`].map(
    (path) => new URL(path, import.meta.url),
  );
  if (!from || !to) throw new TypeError('Two places');
  cpSync(fileURLToPath(from), fileURLToPath(to), { recursive: true });
  return (await import(new URL('index.js', to).href)) as Copy;
}
