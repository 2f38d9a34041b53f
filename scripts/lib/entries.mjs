// The entries that can be imported of the package: one line for each entry. The build, "exports" in package.json and the checks of the package go by this list.

import { lateImports, mainForms } from './late-forms.mjs';

/** The main entry. All others import it, and have nothing of it in them. */
export const MAIN = 'index';

/** Name of an entry, and where its source lies. `index` is the package itself, `prometheus` would be `pooling-https-agent/prometheus`. */
export const ENTRIES = {
  [MAIN]: 'src/index.ts',
  inspect: 'src/inspect/index.ts',
  opentelemetry: 'src/opentelemetry/index.ts',
  prometheus: 'src/prometheus/index.ts',
  undici: 'src/undici/index.ts',
};

/** The part of package.json that says how entries, and files that are loaded late, are found. */
export function manifestFields() {
  const names = Object.keys(ENTRIES);
  return {
    imports: lateImports,
    exports: {
      ...Object.fromEntries(names.map((name) => [subpathOf(name), conditions(name)])),
      './package.json': './package.json',
    },
    // Two fields for what does not know "exports": TypeScript with `moduleResolution: node10`, for one.
    main: `./dist/${MAIN}.cjs`,
    types: `./dist/${MAIN}.d.cts`,
    typesVersions: names.length > 1 ? { '*': olderTypes(names) } : undefined,
  };
}

function subpathOf(name) {
  return name === MAIN ? '.' : `./${name}`;
}

function conditions(name) {
  return {
    import: {
      types: `./dist/${name}.d.ts`,
      ...(name === MAIN ? mainForms : { default: `./dist/${name}.js` }),
    },
    require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
  };
}

function olderTypes(names) {
  const subpaths = names.filter((name) => name !== MAIN);
  return Object.fromEntries(subpaths.map((name) => [name, [`./dist/${name}.d.cts`]]));
}
