/** Two copies of the package in one process get along: each case with either of them first. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as first from '../../src/index.js';
import '../support/audit.js';
import { certificate } from '../support/certificate.js';
import { CASES, Scene } from './scenario.js';
import { secondCopy } from './second-copy.js';

const LIMIT = { timeout: 120_000 };

const second = await secondCopy();
assert.notEqual(first.PoolingAgent, second.PoolingAgent);

for (const [order, a, b] of [
  ['the first and the second', first, second],
  ['the second and the first', second, first],
] as const) {
  suite(order, () => {
    for (const [title, run] of Object.entries(CASES)) {
      test(title, LIMIT, async (t) => {
        const scene = await new Scene(await certificate()).listen();
        t.after(() => scene.close());
        await run(a, b, scene);
      });
    }
  });
}

test('agents of both hear of exceptions that the process survives', LIMIT, async () => {
  const child = fileURLToPath(new URL('exceptions-child.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child], { timeout: 100_000 });
  assert.equal(stdout, 'first: thrown, answered\nsecond: thrown, answered\n');
});
