// Timers are real when the package is loaded.
import { expect, jest, test } from '@jest/globals';
import { ALL_IS_WELL, load, start } from './material.mjs';

test('loaded before timers are fake', async () => {
  jest.useRealTimers();
  const scenario = await start();
  const pooling = await load();
  for (const legacyFakeTimers of [false, true]) {
    jest.useFakeTimers({ legacyFakeTimers });
    expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
    jest.useRealTimers();
    expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
  }
  scenario.close();
});
