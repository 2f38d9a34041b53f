/** Waits for a condition that no event announces. The test's own timeout is the limit. */
import { setTimeout } from 'node:timers/promises';

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(1);
}
