/** Defect 12: an abort in a 'data' handler becomes an uncaught error. In a process of its own, because it ends it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { defect } from './support.js';

const CHILD = fileURLToPath(new URL('abort-in-data.js', import.meta.url));

async function run(kind: string): Promise<string> {
  const child = spawn(process.execPath, [CHILD, kind], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return output + errors;
}

const uncaught = /Unhandled 'error' event|uncaught/i;
const here = uncaught.test(await run('core'));

defect(
  "12. an AbortSignal fired in a 'data' handler becomes an uncaught error",
  { symptom: uncaught, here },
  async ({ kind }) => {
    const output = await run(kind);
    assert.doesNotMatch(output, uncaught);
    assert.match(output, /aborted 20 times/);
  },
);
