/** Test tools fake timers and clocks; sockets are real all the same, and so are the pool's own timers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LIMIT } from './support.js';

const run = promisify(execFile);

async function outputOf(child: string, ...args: string[]): Promise<string> {
  const file = fileURLToPath(new URL(child, import.meta.url));
  const { stdout } = await run(process.execPath, ['--no-warnings', file, ...args], { timeout: 100_000 });
  return stdout.trim();
}

describe('timers that are faked', { concurrency: true }, () => {
  for (const tool of ['node:test', '@sinonjs/fake-timers']) {
    for (const when of ['after loading', 'before loading']) {
      it(`by ${tool}, ${when}: all requests are answered, then and later`, LIMIT, async () => {
        assert.deepEqual(JSON.parse(await outputOf('fake-timers-child.js', tool, when)), {
          isFake: true,
          during: true,
          afterwards: true,
        });
      });
    }
  }

  it('and whose callbacks were lost are asked for again', LIMIT, async () => {
    assert.deepEqual(JSON.parse(await outputOf('lost-callbacks-child.js')), {
      answered: 12,
      codes: ['ETIMEDOUT', 'ETIMEDOUT'],
      waits: ['waits on', 'timed out'],
      hadLost: true,
      wasOpen: true,
      isOpen: false,
    });
  });
});
