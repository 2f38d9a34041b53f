/** Exceptions that nobody catches, in place of the test runner, which would fail the test for them. */
import type { TestContext } from 'node:test';

/** Until the test is over, only its own listeners hear of them. */
function muteRunner(t: TestContext): void {
  const runners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  t.after(() => {
    process.removeAllListeners('uncaughtException');
    for (const runner of runners) process.on('uncaughtException', runner);
  });
}

/** All of them from now on. */
export function collectUncaught(t: TestContext): unknown[] {
  const caught: unknown[] = [];
  muteRunner(t);
  process.on('uncaughtException', (error) => void caught.push(error));
  return caught;
}

/** The next one. A second one ends the process. */
export function nextUncaught(t: TestContext): Promise<unknown> {
  muteRunner(t);
  return new Promise((resolve) => process.once('uncaughtException', resolve));
}
