/** Has every agent look for exchanges that were cut short, in each turn of the event loop, as after an uncaught exception: see recovery.ts. */
import type { TestContext } from 'node:test';

/** Before timers are faked: what begins here goes on with those of now. */
export function lookAllTheTime(t: TestContext): void {
  const { setImmediate } = globalThis;
  let isOver = false;
  t.after(() => (isOver = true));
  const look = (): void => {
    if (isOver) return;
    process.emit('uncaughtExceptionMonitor' as 'message', new Error('none'), 'uncaughtException' as never);
    setImmediate(look);
  };
  look();
}
