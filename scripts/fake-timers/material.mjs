// The common part of the tests of both tools: it stands beside it in a project that scripts/check-fake-timers.mjs makes.
import { readFileSync } from 'node:fs';
import { ALL_IS_WELL, startScenario } from './scenario.mjs';

export { ALL_IS_WELL };

export const load = () => import('pooling-https-agent');

export const start = () =>
  startScenario(JSON.parse(readFileSync(new URL('certificate.json', import.meta.url), 'utf8')));
