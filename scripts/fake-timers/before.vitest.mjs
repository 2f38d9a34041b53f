// Timers are fake when the package is loaded.
import { expect, test, vi } from 'vitest';
import { ALL_IS_WELL, load, start } from './material.mjs';

test('loaded when timers are fake', async () => {
  const scenario = await start();
  vi.useFakeTimers();
  expect(vi.isFakeTimers()).toBe(true);
  const pooling = await load();
  expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
  vi.useRealTimers();
  expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
  scenario.close();
});
