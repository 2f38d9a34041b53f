// `npm run example NAME`: prints the subject of an example, which is the comment at its head, and runs it. Without a name: lists the examples. Exits with the
// example's exit code, or with 2 if there is none of that name.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { root, run } from './lib/run.mjs';

/** The examples and their subjects, by name. The demo has a command of its own. */
function examples() {
  const folder = join(root, 'examples');
  const names = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && file !== 'demo.ts')
    .map((file) => basename(file, '.ts'))
    .toSorted();
  return new Map(
    names.map((name) => {
      const [, comment = ''] =
        /^\/\*\*([^]*?)\*\//.exec(readFileSync(join(folder, `${name}.ts`), 'utf8')) ?? [];
      return [name, comment.replaceAll(/\s*\n \*\s*/g, ' ').trim()];
    }),
  );
}

const known = examples();
const [name, ...rest] = process.argv.slice(2);
if (name === undefined) {
  const width = Math.max(...[...known.keys()].map(({ length }) => length));
  console.log('Usage: npm run example NAME\n');
  for (const [each, about] of known) console.log(`  ${each.padEnd(width)}  ${about}`);
} else if (!known.has(name) || rest.length > 0) {
  const wrong = known.has(name)
    ? `One example at a time, not also ${rest.join(', ')}`
    : `There is no example ${JSON.stringify(name)}`;
  console.error(`ERR_INVALID_ARG_VALUE: ${wrong}; there are ${[...known.keys()].join(', ')}`);
  process.exitCode = 2;
} else {
  console.log(`${name}: ${known.get(name)}\n`);
  const { ok } = await run(process.execPath, [join(root, 'build', 'examples', `${name}.js`)]);
  if (!ok) process.exitCode = 1;
}
