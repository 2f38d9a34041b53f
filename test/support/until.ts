/** Waits for a condition that no event announces. */
import { setTimeout } from 'node:timers/promises';

/** The condition comes true within a minute, on the busiest machine, or never. It may be one that takes time to find out. */
export async function until(condition: () => unknown): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`In vain: ${condition.toString()}`);
    await setTimeout(1);
  }
}
