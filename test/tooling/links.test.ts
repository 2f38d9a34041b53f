/** Links between the pages of the project lead to files that are there, and to headings that are in them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { pages, proseOf } from '../support/pages.js';

/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);

/** How GitHub and npm name a heading in an address. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function anchorsOf(page: URL): Set<string> {
  const text = proseOf(readFileSync(page, 'utf8'));
  return new Set([...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading)));
}

/** The broken links of a page. */
function brokenLinks(path: string): string[] {
  const page = new URL(path, ROOT);
  const text = proseOf(readFileSync(page, 'utf8'));
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = '']) => link)
    .filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const target = new URL(link, page);
      const { hash } = target;
      target.hash = '';
      if (!existsSync(fileURLToPath(target))) return true;
      return hash !== '' && !anchorsOf(target).has(decodeURIComponent(hash.slice(1)));
    });
}

for (const path of pages()) {
  test(`the links of ${path}`, () => {
    assert.deepEqual(brokenLinks(path), []);
  });
}

test('the README names every page of docs/', () => {
  const readme = readFileSync(new URL('README.md', ROOT), 'utf8');
  const missing = pages().filter((path) => path.startsWith('docs/') && !readme.includes(`](${path})`));
  assert.deepEqual(missing, []);
});

test('the README is read in some minutes', () => {
  const { length } = readFileSync(new URL('README.md', ROOT));
  assert.ok(length <= 12_000, `${length} bytes: details belong into docs/`);
});
