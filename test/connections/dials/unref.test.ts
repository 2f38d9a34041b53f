/** A socket that is still connecting keeps the process alive, or does not, as it was told: the deadline of the dial has no say. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LIMIT } from '../support.js';

const child = fileURLToPath(new URL('unref-child.js', import.meta.url));
/** Longer than any test waits. */
const FOREVER = 600_000;

async function silentServer(t: TestContext): Promise<number> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

describe('while a socket is connecting', { concurrency: 4 }, () => {
  for (const [terms, host, connectTimeout, output] of [
    ['as it comes', '127.0.0.1', 300, 'ETIMEDOUT'],
    ['as it comes', 'never.found', 300, 'ETIMEDOUT'],
    ['unref() and ref()', '127.0.0.1', 300, 'ETIMEDOUT'],
    ['unref() at once', '127.0.0.1', FOREVER, ''],
    ['unref() at once', 'localhost', FOREVER, ''],
    ['unref() at once', 'never.found', FOREVER, ''],
    ["unref() on 'connect'", '127.0.0.1', FOREVER, ''],
    ['unref() later', 'localhost', FOREVER, ''],
  ] as const) {
    it(`to ${host}, ${terms}: ${output || 'the process ends'}`, LIMIT, async (t) => {
      const args = [child, String(await silentServer(t)), terms, host, String(connectTimeout)];
      const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 });
      assert.equal(stdout.trim(), output);
    });
  }
});
