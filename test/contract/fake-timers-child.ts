/**
 * A process of its own for fake-timers.test.ts: uses the pool while a tool fakes timers and clocks, and after that. The pool is
 * loaded before they are faked, or after it. Prints what came of it.
 */
import { install } from '@sinonjs/fake-timers';
import { mock } from 'node:test';
import type * as Package from '../../src/index.js';
import { certificate } from '../support/certificate.js';
import { ALL_IS_WELL, startScenario } from './fake-timers-scenario.js';

const [tool, when] = process.argv.slice(2);
const load = (): Promise<typeof Package> => import('../../src/index.js');

/** @returns what ends it */
function fake(): () => void {
  if (tool === 'node:test') {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'setImmediate', 'Date'], now: 1 });
    return () => mock.timers.reset();
  }
  // All that it can, but `process.nextTick`: Node's own client stops without that.
  const clock = install({ now: 1, toNotFake: ['nextTick'] });
  return () => clock.uninstall();
}

const scenario = await startScenario(await certificate());
const early = when === 'after loading' ? await load() : undefined;
const restore = fake();
const isFake = Date.now() === 1;
const pooling = early ?? (await load());
const during = await scenario.run(pooling);
restore();
const afterwards = await scenario.run(pooling);
console.log(
  JSON.stringify({
    isFake,
    during: during === ALL_IS_WELL || during,
    afterwards: afterwards === ALL_IS_WELL || afterwards,
  }),
);
scenario.close();
