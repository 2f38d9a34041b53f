/** ARCHITECTURE.md is for people who do not know the code yet: the files that it names are there, and what it says is in them is. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('ARCHITECTURE.md', ROOT), 'utf8');

/** The path of a file or folder that the page names: below src/, if it is in no folder of the top level. */
function pathOf(name: string): string {
  return fileURLToPath(
    new URL(/^(?:bench|docs|page|scripts|src|test)\//.test(name) ? name : `src/${name}`, ROOT),
  );
}

test('files and folders that ARCHITECTURE.md names are there', () => {
  const names = [...page.matchAll(/`([\w-]+(?:\/[\w-]*)*(?:\.m?[jt]s|\/))`/g)].map(([, name = '']) => name);
  assert.ok(names.length > 50, 'the page names many');
  assert.deepEqual(
    names.filter((name) => !existsSync(pathOf(name))),
    [],
  );
});

test('what ARCHITECTURE.md says is in a file, is in it', () => {
  const places = [...page.matchAll(/((?:`\w+`(?:, | and )?)+) in `([\w/-]+\.ts)`/g)];
  assert.ok(places.length > 20, 'the page says of many');
  for (const [, names = '', file = ''] of places) {
    const text = readFileSync(pathOf(file), 'utf8');
    for (const [, name = ''] of names.matchAll(/`(\w+)`/g))
      assert.ok(new RegExp(`\\b${name}\\b`).test(text), `${name} in ${file}`);
  }
});

test('the table of what is used of Node has each capability', () => {
  const text = readFileSync(new URL('src/node/capabilities.ts', ROOT), 'utf8');
  const list = /CAPABILITIES[^=]*= \[([^\]]*)\]/.exec(text)?.[1] ?? '';
  const names = [...list.matchAll(/\w+/g)].map(([name]) => name);
  assert.ok(names.length > 5);
  assert.deepEqual(
    names.filter((name) => !page.includes(`\`${name}\` in \`node/`)),
    [],
  );
});
