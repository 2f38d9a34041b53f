/** Whatever code of users throws, no slot under the limits is lost, and no waiting request: see the two child programs. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

async function outputOf(name: string): Promise<string> {
  const child = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child], { timeout: 100_000 });
  return stdout.trim();
}

const LIMIT = { timeout: 120_000 };

test('listeners that throw cost no slot, and no other request', LIMIT, async () => {
  assert.match(await outputOf('throwing-child.js'), /^\d{2,3} cases$/);
});

test('code that throws while others have their turn holds up none of them', LIMIT, async () => {
  assert.equal(await outputOf('exceptions-child.js'), '');
});
