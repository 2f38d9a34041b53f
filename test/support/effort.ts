/**
 * The duration of tests that find errors by chance. `npm test` should take less than three minutes: it gives these tests 0.4 of what a
 * file gives them that is run by itself, or by `npm test -- --all`. `.ci/run` sets TEST_EFFORT to give them four times as long, once. After a
 * change of what they test, give them more.
 */
const EFFORT = Number(process.env['TEST_EFFORT'] ?? 1);

/** @returns `count` at an effort of 1, and in proportion otherwise */
export function byEffort(count: number): number {
  return Math.round(count * EFFORT);
}
