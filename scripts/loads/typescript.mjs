// Versions of TypeScript, their module modes, and versions of Node's typings.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/run.mjs';
import { folderOf, project, succeeds } from './projects.mjs';

const COMPILERS = ['5.0', '5.4', '5.9', '6', '7'];
const TYPES = ['20', '22', '24', '26'];

/** `type`: that of the project's package.json. */
const MODULES = {
  'commonjs, node10': { type: 'commonjs', module: 'commonjs', moduleResolution: 'node10' },
  'node16 (CommonJS)': { type: 'commonjs', module: 'node16', moduleResolution: 'node16' },
  'node16 (ESM)': { type: 'module', module: 'node16', moduleResolution: 'node16' },
  'nodenext (ESM)': { type: 'module', module: 'nodenext', moduleResolution: 'nodenext' },
  'esnext, bundler': { type: 'module', module: 'esnext', moduleResolution: 'bundler' },
};

/** As strict as users can be. */
function compilerOptions(compiler, options) {
  return {
    ...options,
    // The warning of version 6 about options that version 7 has dropped.
    ...(compiler === '6' && { ignoreDeprecations: '6.0' }),
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false,
    noEmit: true,
    target: 'es2022',
    lib: ['es2022'],
    types: ['node'],
  };
}

/**
 * Each compiler with each kind of module, and each of those with some version of the typings; with `isEverything`, with all.
 *
 * @param {boolean} isEverything
 */
export function typeCases(isEverything) {
  const use = readFileSync(join(root, 'scripts/loads/use.ts.txt'), 'utf8');
  const cases = [];
  for (const compiler of COMPILERS) {
    for (const [at, [module, { type, ...options }]] of Object.entries(MODULES).entries()) {
      // Typings of Node 24 and later want newer compilers than the oldest two.
      const fitting = Number(compiler) < 5.9 ? TYPES.slice(0, 2) : TYPES;
      for (const types of isEverything ? TYPES : [fitting[at % fitting.length]]) {
        const title = `TypeScript ${compiler}, ${module}, @types/node ${types}`;
        cases.push({
          title,
          group: 'typescript',
          needs: [`types${types}`],
          check: async () => {
            const tsc = join(folderOf('typescript'), `node_modules/ts-${compiler}/bin/tsc`);
            const compile = (text) =>
              succeeds(
                [
                  tsc,
                  '-p',
                  project(`types${types}`, title, {
                    'package.json': { type },
                    'tsconfig.json': { compilerOptions: compilerOptions(compiler, options), files: ['a.ts'] },
                    'a.ts': text,
                  }),
                ],
                root,
              );
            const wrong = await compile(use);
            if (wrong === undefined) return undefined;
            return (await compile(`import 'node:https';\nexport {};\n`)) === undefined
              ? wrong
              : 'skipped: an empty project does not compile';
          },
        });
      }
    }
  }
  const clients = readFileSync(join(root, 'scripts/loads/clients.ts.txt'), 'utf8');
  cases.push({
    title: 'TypeScript 5.9: assignable to what axios, got, ws and the AWS SDK take',
    group: 'typescript',
    needs: ['clients'],
    check: () =>
      succeeds(
        [
          join(folderOf('typescript'), 'node_modules/ts-5.9/bin/tsc'),
          '-p',
          project('clients', 'clients', {
            'package.json': { type: 'module' },
            'tsconfig.json': {
              compilerOptions: {
                ...compilerOptions('5.9', { module: 'nodenext', moduleResolution: 'nodenext' }),
                skipLibCheck: true,
              },
              files: ['a.ts'],
            },
            'a.ts': clients,
          }),
        ],
        root,
      ),
  });
  return cases;
}
