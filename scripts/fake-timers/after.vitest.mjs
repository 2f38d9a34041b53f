// Timers are real when the package is loaded.
import { expect, test, vi } from 'vitest';
import { ALL_IS_WELL, load, start } from './material.mjs';

test('loaded before timers are fake', async () => {
  const scenario = await start();
  const pooling = await load();
  for (const more of [[], ['queueMicrotask']]) {
    const toFake = [
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'setImmediate',
      'Date',
      'performance',
      ...more,
    ];
    vi.useFakeTimers({ toFake });
    expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
    vi.useRealTimers();
    expect(await scenario.run(pooling)).toBe(ALL_IS_WELL);
  }
  scenario.close();
});
