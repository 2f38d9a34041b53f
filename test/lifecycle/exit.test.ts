/** The promise of `close()` is awaited at the top of modules: the process lives until it resolves, and not longer. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { httpsServer } from '../support/server.js';
import { LIMIT } from './support.js';

const child = fileURLToPath(new URL('exit-child.js', import.meta.url));

for (const [what, said] of [
  ['idle', 'closed'],
  ['in use', '/'],
  ['paused', 'ERR_AGENT_CLOSED'],
] as const) {
  test(`a module awaits close() with a connection that is ${what}`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const args = [child, String(server.port), server.ca, what];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 100_000 });
    assert.equal(stdout.trim(), said);
  });
}
