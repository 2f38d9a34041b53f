// Test runners, each in the ways that it loads code.
import { join } from 'node:path';
import { folderOf, isForThisNode, project, succeeds } from './projects.mjs';
import { BODY, CJS, ESM } from './source.mjs';

export function runnerCases() {
  const jest = ['jest29', 'jest30'].flatMap((group) => [
    jestCase(group, 'CommonJS', { 'a.test.js': `${CJS}test('loads', async () => {${BODY}});` }, {}),
    jestCase(
      group,
      'ts-jest',
      { 'a.test.ts': `${ESM}test('loads', async () => {${BODY.replace('(e)', '(e: any)')}});` },
      {
        transform: {
          '\\.ts$': [
            'ts-jest',
            {
              tsconfig: {
                module: 'commonjs',
                moduleResolution: 'node10',
                esModuleInterop: true,
                target: 'es2022',
                strict: true,
              },
            },
          ],
        },
      },
    ),
    jestCase(
      group,
      'ESM',
      { 'a.test.mjs': `${ESM}test('loads', async () => {${BODY}});` },
      { transform: {}, testMatch: ['**/*.test.mjs'], moduleFileExtensions: ['mjs', 'js', 'json'] },
      ['--experimental-vm-modules', '--no-warnings'],
    ),
  ]);
  return [
    ...jest,
    runnerCase(
      'Vitest',
      { 'a.test.mjs': `import { test } from 'vitest';\n${ESM}test('loads', async () => {${BODY}});` },
      (bin) => [bin('vitest/vitest.mjs'), 'run'],
      'vitest',
    ),
    ...['mjs', 'cjs'].map((type) =>
      runnerCase(
        `Mocha, ${type}`,
        { [`a.test.${type}`]: `${type === 'mjs' ? ESM : CJS}it('loads', async () => {${BODY}});` },
        (bin) => [bin('mocha/bin/mocha.js'), `a.test.${type}`],
        'mocha',
      ),
    ),
    ...['mjs', 'cjs'].map((type) =>
      runnerCase(
        `node:test, ${type}`,
        {
          [`a.test.${type}`]: `${type === 'mjs' ? ESM : CJS}process.getBuiltinModule('node:test').test('loads', async () => {${BODY}});`,
        },
        () => ['--test', `a.test.${type}`],
      ),
    ),
  ];
}

function runnerCase(title, files, args, tool) {
  return {
    title,
    group: 'tools',
    check: () => {
      if (tool && !isForThisNode('tools', tool)) return 'skipped: not for this Node';
      const cwd = project('tools', title, files);
      return succeeds(
        args((path) => join(folderOf('tools'), 'node_modules', path)),
        cwd,
      );
    },
  };
}

function jestCase(group, kind, files, config, flags = []) {
  const title = `${group.replace('jest', 'Jest ')}, ${kind}`;
  return {
    title,
    group,
    check: () => {
      if (!isForThisNode(group, 'jest')) return 'skipped: not for this Node';
      const cwd = project(group, title, { ...files, 'package.json': {}, 'jest.config.json': config });
      return succeeds(
        [...flags, join(folderOf(group), 'node_modules/jest/bin/jest.js'), '--ci', '--no-cache'],
        cwd,
      );
    },
  };
}
