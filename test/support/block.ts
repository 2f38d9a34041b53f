/** Keeps the event loop from polling, as a busy program does, or a machine that is suspended. */
import assert from 'node:assert/strict';

/** For `ms`, and until `condition`, which must come true without the loop. */
export function block(ms: number, condition: () => boolean = () => true): void {
  const start = performance.now();
  while (performance.now() < start + ms || !condition()) {
    assert.ok(performance.now() < start + 10_000, 'in vain');
  }
}
