// Finds modules that a late.ts is to load, and that an import loads before. The build would move such a module into the file of its importer, and tell nobody.
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { AT_LOAD, FIRST, LATE_FILES, lateModule, loadsOf } from './late-forms.mjs';
import { root } from './run.mjs';

const src = join(root, 'src');

/** Modules with the late.ts, or first.ts, that loads each. All paths are below src/. */
const ofFirst = loadedBy(LATE_FILES[FIRST]);
const ofOthers = loadedBy(
  Object.keys(LATE_FILES).flatMap((file) => (file === FIRST ? [] : LATE_FILES[file])),
);

/** For each import that is wrong, what is wrong with it. */
export function* eagerImports() {
  const seen = new Set();
  yield* importsFrom(['index.ts', ...AT_LOAD], new Map([...ofFirst, ...ofOthers]), seen);
  yield* importsFrom(ofFirst.keys(), ofOthers, seen);
}

/** Follows the imports of `starts` up to those of a `late` module. */
function* importsFrom(starts, late, seen) {
  const paths = [...starts];
  for (const path of paths) {
    if (seen.has(path)) continue;
    seen.add(path);
    if (lateModule(join(src, path)) !== undefined) continue;
    for (const target of importsOf(path)) {
      const loader = late.get(target);
      if (loader === undefined) paths.push(target);
      else yield `${path}: imports ${target}, which src/${loader} is to load late`;
    }
  }
}

/** The modules of src/ that `path` imports, but for their types alone. */
function importsOf(path) {
  const text = readFileSync(join(src, path), 'utf8');
  const imports = text.matchAll(/^(?:import|export) (?!type )[^;]*?'(\.{1,2}\/[^']+)\.js';/gm);
  return [...imports].map(([, file]) => belowSrc(resolve(src, dirname(path), `${file}.ts`)));
}

function loadedBy(loaders) {
  return new Map(
    loaders.flatMap((loader) => loadsOf(loader).map(({ module }) => [belowSrc(module), loader])),
  );
}

function belowSrc(path) {
  return relative(src, path).replaceAll('\\', '/');
}
