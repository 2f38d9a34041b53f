/** What can be told of a request before its body: whether it may be sent twice. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { isReplayable } from '../../src/liveness/replayable.js';
import type { AgentRequest } from '../../src/node-internals.js';

/** The request as an agent gets it. */
function asked(options: RequestOptions): AgentRequest {
  let asking: AgentRequest | undefined;
  const agent = new Agent();
  Reflect.set(agent, 'addRequest', (req: AgentRequest) => (asking = req));
  request({ ...options, agent });
  assert.ok(asking);
  return asking;
}

const CASES: [boolean, RequestOptions][] = [
  [true, {}],
  [true, { method: 'get' }],
  [true, { method: 'HEAD' }],
  [true, { method: 'OPTIONS' }],
  [true, { method: 'TRACE' }],
  [true, { method: 'DELETE' }],
  [true, { method: 'PUT', headers: { 'content-length': 0 } }],
  [true, { method: 'POST', headers: { 'idempotency-key': 'k', 'Content-Length': '0' } }],
  [true, { headers: ['Host', 'a', 'Accept', '*/*'] }],
  [true, { method: 'POST', headers: ['Host', 'a', 'IDEMPOTENCY-KEY', 'k', 'Content-Length', '0'] }],
  // A body that is still to come.
  [false, { method: 'PUT' }],
  [false, { method: 'PUT', headers: { 'content-length': 3 } }],
  [false, { method: 'GET', headers: { 'content-length': '3' } }],
  [false, { method: 'GET', headers: { 'transfer-encoding': 'chunked' } }],
  [false, { headers: ['Host', 'a', 'content-length', '3'] }],
  [false, { method: 'PUT', headers: { 'content-length': 'many' } }],
  [false, { method: 'PUT', headers: { expect: '100-continue' } }],
  [false, { method: 'POST', headers: { 'idempotency-key': 'k' } }],
  // Once and never again.
  [false, { method: 'POST' }],
  [false, { method: 'POST', headers: { 'content-length': 0 } }],
  [false, { method: 'PATCH', headers: { 'content-length': 0 } }],
  [false, { method: 'CONNECT' }],
  [false, { method: 'PROPFIND' }],
  [true, { method: 'POST', headers: ['Host', 'a', 'X-Idempotency-Key', 'k', 'Content-Length', '0'] }],
];

for (const [expected, options] of CASES) {
  test(`${JSON.stringify(options)}: ${expected ? 'may be sent twice' : 'once'}`, () => {
    assert.equal(isReplayable(asked(options)), expected);
  });
}

test('a request of which nothing is known is sent once', () => {
  assert.equal(isReplayable({} as AgentRequest), false);
});
