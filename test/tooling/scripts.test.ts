/** The scripts that other tests rely on: what `npm test` prints, and that what mutation testing visits is where it was. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const LIMIT = { timeout: 120_000 };
/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);

/** The output of the runner for a test file with this content. */
async function report(t: TestContext, content: string): Promise<{ code: number; output: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'report-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'some.test.mjs');
  await writeFile(file, `import { suite, test } from 'node:test';\n${content}`);
  const reporter = new URL('scripts/lib/brief-reporter.mjs', ROOT).href;
  // Or it would take itself for a file of this run.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return new Promise((resolve) => {
    const args = ['--test', `--test-reporter=${reporter}`, file];
    execFile(process.execPath, args, { env }, (error, stdout) => {
      resolve({ code: Number(error?.code ?? 0), output: stdout });
    });
  });
}

test('where all is well, there is a dot for each test, and the counts', LIMIT, async (t) => {
  const { code, output } = await report(
    t,
    `for (let i = 0; i < 250; i++) test('quiet ' + i, (t) => t.diagnostic('not said'));
     suite('a suite', () => test.skip('skipped', () => {}));`,
  );
  assert.equal(code, 0, output);
  const lines = output.trimEnd().split('\n');
  assert.ok(lines.length < 24, 'a screenful');
  assert.equal(lines.join('').match(/\./g)?.length, 250 + 1, 'and the one in the time that it took');
  for (const count of ['tests 251', 'pass 250', 'fail 0', 'skipped 1'])
    assert.ok(lines.includes(`ℹ ${count}`));
  assert.doesNotMatch(output, /quiet|not said|✖/);
});

test('failures are told in full, and what tests print', LIMIT, async (t) => {
  const { code, output } = await report(
    t,
    `suite('a suite', () => test('one that fails', () => { console.log('said'); throw new Error('why it fails'); }));
     test('another', () => {});
     test('late', () => void setTimeout(() => { throw new Error('too late'); }, 50));
     test('the last', () => new Promise((resolve) => setTimeout(resolve, 300)));`,
  );
  assert.equal(code, 1);
  assert.match(output, /^said$/m);
  assert.match(output, /^✖ one that fails \(.*some\.test\.mjs\)$/m, 'at once');
  assert.match(output, /failing tests:[^]*one that fails[^]*why it fails[^]*at .*some\.test\.mjs/);
  assert.match(output, /too late/);
  assert.match(output, /^ℹ pass 3$/m);
});

test('a file that cannot be loaded is a failure', LIMIT, async (t) => {
  const { code, output } = await report(t, `throw new Error('not loaded');`);
  assert.equal(code, 1);
  assert.match(output, /not loaded/);
  assert.match(output, /^ℹ fail 1$/m);
});

test('test files that are to have a process of their own are there', LIMIT, async (t) => {
  const { inGroups } = (await import(new URL('scripts/lib/test-groups.mjs', ROOT).href)) as {
    inGroups(files: string[], folder: string, groups: string, without?: string[]): string[];
  };
  const folder = fileURLToPath(new URL('build/test', ROOT));
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.js'))
    .map((path) => join(folder, path));
  const directory = await mkdtemp(join(tmpdir(), 'groups-'));
  t.after(() => rm(directory, { recursive: true }));
  const groups = join(directory, 'groups');
  const gone = join(folder, 'clients/nock.test.js');
  assert.ok(inGroups(files, folder, groups).includes(gone));
  assert.ok(!inGroups(files, folder, groups, ['clients']).includes(gone));
  assert.throws(
    () =>
      inGroups(
        files.filter((file) => file !== gone),
        folder,
        groups,
      ),
    /names no test files: clients\/nock$/,
  );
});

test('sources and tests of mutation testing are where rooms.mjs says', async () => {
  const { ROOMS } = (await import(new URL('scripts/lib/rooms.mjs', ROOT).href)) as {
    ROOMS: Record<string, { sources: string[]; tests: string[] }>;
  };
  for (const [name, { sources, tests }] of Object.entries(ROOMS)) {
    for (const path of [
      ...sources.map((source) => `src/${source}`),
      ...tests.map((file) => `test/${file}`),
    ]) {
      assert.ok(existsSync(fileURLToPath(new URL(path, ROOT))), `${name}: ${path}`);
    }
  }
});
