/** `npm run example`: each example runs, says what it shows, and is named in docs/getting-started.md. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);
const LIMIT = { timeout: 120_000 };

const names = readdirSync(new URL('examples/', ROOT))
  .filter((file) => file.endsWith('.ts') && file !== 'demo.ts')
  .map((file) => basename(file, '.ts'));

function example(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = fileURLToPath(new URL('scripts/example.mjs', ROOT));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

/** The first sentence of the comment that a file begins with. */
function aboutOf(name: string): string {
  const text = readFileSync(new URL(`examples/${name}.ts`, ROOT), 'utf8');
  return (
    /^\/\*\* ([^:.]+[:.])/.exec(text)?.[1] ?? assert.fail(`examples/${name}.ts does not say what it shows`)
  );
}

suite('each example', { concurrency: 2 }, () => {
  for (const name of names) {
    test(`${name} says what it shows, and does it`, LIMIT, async () => {
      const { code, stdout, stderr } = await example(name);
      assert.equal(code, 0, stderr);
      assert.equal(stderr, '');
      assert.ok(stdout.startsWith(`${name}: ${aboutOf(name)}`), stdout);
      assert.ok(stdout.trim().split('\n').length > 2, 'and something comes of it');
    });
  }
});

test('limits shows the limits that it speaks of', LIMIT, async () => {
  const { stdout } = await example('limits');
  assert.match(stdout, /^4 connections, \d\d requests that wait$/m);
  assert.match(stdout, /^8 connections after maxSockets was raised to 8$/m);
  assert.match(stdout, /^40 answers over 8 connections$/m);
});

test('without a name they are listed', LIMIT, async () => {
  const { code, stdout } = await example();
  assert.equal(code, 0);
  for (const name of names) assert.match(stdout, new RegExp(`^  ${name} +${aboutOf(name)}`, 'm'));
});

test('a name that none has is refused', LIMIT, async () => {
  for (const args of [['nope'], ['../scripts/clean'], ['demo'], ['constructor'], [''], ['basic', 'limits']]) {
    const { code, stdout, stderr } = await example(...args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, /^ERR_INVALID_ARG_VALUE: .*basic.*limits/);
  }
});

test('docs/getting-started.md names them', () => {
  const page = readFileSync(new URL('docs/getting-started.md', ROOT), 'utf8');
  for (const name of names) assert.match(page, new RegExp(`npm run example ${name}\\b`));
});
