/** The benchmark's clients and servers stay on the processors on which they were put. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { canPin } from '../../bench/processors.js';

const MODULE = new URL('../../bench/processors.js', import.meta.url).href;
const PROGRAM = `
  import ${JSON.stringify(MODULE)};
  import { readFileSync } from 'node:fs';
  console.log(/^Cpus_allowed_list:\\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
`;

const mayPin = canPin() && spawnSync('taskset', ['-c', '0', 'true']).status === 0;

test('a process that loads the processors stays where it was put', { skip: !mayPin }, () => {
  const args = ['-c', '0', process.execPath, '--input-type=module', '--eval', PROGRAM];
  const { stdout, stderr } = spawnSync('taskset', args, { encoding: 'utf8' });
  assert.equal(stdout.trim(), '0', stderr);
});
