/** The cases that every HTTP client goes through, over a real TLS server. */
import assert from 'node:assert/strict';
import { after, describe } from 'node:test';
import { abortCases } from './cases/abort.js';
import { bodyCases } from './cases/bodies.js';
import { errorCases } from './cases/errors.js';
import { poolingCases } from './cases/pooling.js';
import { redirectCases } from './cases/redirects.js';
import { replayCases } from './cases/replay.js';
import { streamCases } from './cases/streams.js';
import { timeoutCases } from './cases/timeouts.js';
import type { Client } from './client.js';

export function clientSuite(name: string, client: Client): void {
  describe(name, () => {
    const leaks = listenerLeaks();
    after(() => assert.deepEqual(leaks, []));
    describe('pooling', () => poolingCases(client));
    describe('abort', () => abortCases(client));
    describe('timeouts', { concurrency: true }, () => timeoutCases(client));
    describe('errors', () => errorCases(client));
    describe('replay', () => replayCases(client));
    describe('bodies', () => bodyCases(client));
    describe('streams', () => streamCases(client));
    if (client.traits.followsRedirects) describe('redirects', () => redirectCases(client));
  });
}

/** Node warns of an emitter with more than ten listeners for an event: nothing may pile up on a pooled socket. */
function listenerLeaks(): Error[] {
  const leaks: Error[] = [];
  process.on('warning', (warning) => {
    if (warning.name === 'MaxListenersExceededWarning') leaks.push(warning);
  });
  return leaks;
}
