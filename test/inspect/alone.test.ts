/** An inspector keeps alive neither the process nor itself, and readers who read nothing keep nothing for long. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { PATIENCE, Reader } from '../../src/inspect/reader.js';
import { openStream } from './stream.js';

const LIMIT = { timeout: 120_000 };
const child = fileURLToPath(new URL('alone-child.js', import.meta.url));

test('a process that listens ends by itself, also while somebody looks', LIMIT, async (t) => {
  const { stdout } = spawn(process.execPath, [child, 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(stdout, 'data')) as [Buffer];
  const stream = await openStream(t, `http://127.0.0.1:${Number(String(port))}/?events`);
  await stream.next('hello');
  await once(stdout, 'close');
});

test('an inspector that nobody refers to any more is collected, and so is its agent', LIMIT, async () => {
  const { stdout } = spawn(process.execPath, ['--expose-gc', child, 'forget'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.equal((await text(stdout)).trim(), 'gone');
});

test('a reader who has read nothing for 30 s is cut off, and one who reads slowly is not', () => {
  let destroyed = 0;
  const res = { destroyed: false, writableLength: 1, destroy: () => destroyed++ };
  const reader = new Reader(res as unknown as ServerResponse, undefined);
  assert.equal(reader.check(1000), false);
  assert.equal(reader.check(1000 + PATIENCE), false);
  res.writableLength = 0;
  assert.equal(reader.check(1500 + PATIENCE), true);
  res.writableLength = 1;
  assert.equal(reader.check(2000 + PATIENCE), false);
  assert.equal(reader.check(2000 + 2 * PATIENCE), false);
  assert.equal(destroyed, 0);
  assert.equal(reader.check(2001 + 2 * PATIENCE), false);
  assert.equal(destroyed, 1);
});
