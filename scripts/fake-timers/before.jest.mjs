// Timers are fake from the beginning: `enableGlobally`, modern or legacy.
import { expect, jest, test } from '@jest/globals';
import { ALL_IS_WELL, load, start } from './material.mjs';

test('loaded when timers are fake', async () => {
  expect(setTimeout.clock ?? setTimeout._isMockFunction).toBeTruthy();
  const scenario = await start();
  const pooling = await load();
  expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
  jest.useRealTimers();
  expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
  scenario.close();
});
