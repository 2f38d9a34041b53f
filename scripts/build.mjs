// `npm run build`: what is published. Of each entry one ES module, the same as a CommonJS module, and the types of both, rolled up into one file
// that can be read from top to bottom. Comments are in the types and in src/, which is published, too: source maps lead there.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { rolldown } from 'rolldown';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';
import { buildPage } from './build-page.mjs';
import { ENTRIES, MAIN, manifestFields } from './lib/entries.mjs';
import { root, run } from './lib/run.mjs';
import { toCommonJs, toEsModule } from './lib/module-forms.mjs';

const dist = join(root, 'dist');
/** The types of each module by itself, until they are rolled up. */
const types = join(dist, '.types');

rmSync(dist, { recursive: true, force: true });
checkManifest(process.argv.includes('--write-exports'));
await buildPage();
const { ok } = await run(process.execPath, [
  join(root, 'node_modules/typescript/bin/tsc'),
  '-p',
  'tsconfig.build.json',
]);
if (!ok) process.exit(1);
await Promise.all(
  Object.entries(ENTRIES).flatMap(([name, source]) => [code(name, source), declarations(name, source)]),
);
rmSync(types, { recursive: true });

/** "exports" of package.json follows from the list of entries; two lists would differ one day. */
function checkManifest(writes) {
  const path = join(root, 'package.json');
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const fields = manifestFields();
  const current = Object.fromEntries(Object.keys(fields).map((name) => [name, manifest[name]]));
  if (isDeepStrictEqual(current, fields)) return;
  if (!writes) {
    console.error('package.json does not go with scripts/lib/entries.mjs: npm run build -- --write-exports');
    process.exit(1);
  }
  writeFileSync(path, `${JSON.stringify({ ...manifest, ...fields }, undefined, 2)}\n`);
}

async function code(name, source) {
  const bundle = await rolldown({
    input: { [name]: join(root, source) },
    platform: 'node',
    tsconfig: join(root, 'tsconfig.build.json'),
    plugins: [imports(name, join(root, ENTRIES[MAIN]))],
  });
  const { output } = await bundle.write({
    dir: dist,
    format: 'esm',
    entryFileNames: '[name].js',
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: false, annotation: true, jsdoc: false },
  });
  await bundle.close();
  const [{ code: text, map }] = output;
  writeFileSync(join(dist, `${name}.js`), toEsModule(text));
  const file = `${name}.cjs`;
  writeFileSync(join(dist, file), toCommonJs(text).replace(`${name}.js.map`, `${file}.map`));
  writeFileSync(join(dist, `${file}.map`), JSON.stringify({ ...map, file }));
}

async function declarations(name, source) {
  const bundle = await rollup({
    input: emitted(source),
    plugins: [withoutHeads(), imports(name, emitted(ENTRIES[MAIN])), dts()],
    onwarn: (warning) => console.warn(warning.message),
  });
  const { output } = await bundle.generate({ format: 'es' });
  const [{ code: text }] = output;
  // A private field makes the class of one build a stranger to that of the other. At run time they know each other.
  const readable = text.replaceAll(/^ *#private;\n/gm, '').replaceAll(/\n{3,}/g, '\n\n');
  writeFileSync(join(dist, `${name}.d.ts`), readable);
  writeFileSync(join(dist, `${name}.d.cts`), readable.replaceAll(/(from '\.\/[^']+)\.js'/g, "$1.cjs'"));
}

/** Where tsc has put the types of a source. */
function emitted(source) {
  return join(types, relative('src', source)).replace(/\.ts$/, '.d.ts');
}

/** The modules that are imported when the package runs: Node's modules, other packages, and the main entry from any other. */
function imports(name, main) {
  return {
    name: 'imports',
    resolveId(specifier, importer) {
      // The entry itself, and what the bundler has of its own.
      if (importer === undefined || importer.startsWith('\0')) return null;
      if (!specifier.startsWith('.')) return { id: specifier, external: true };
      if (name === MAIN) return null;
      const base = resolve(dirname(importer), specifier).replace(/\.js$/, '');
      return base === main.replace(/(?:\.d)?\.ts$/, '') ? { id: `./${MAIN}.js`, external: true } : null;
    },
  };
}

/** The comment at the head of a module is about the module, and would stand before whatever comes first in it. */
function withoutHeads() {
  return {
    name: 'without-heads',
    transform: (text) => text.replace(/^\s*\/\*\*[^]*?\*\//, ''),
  };
}
