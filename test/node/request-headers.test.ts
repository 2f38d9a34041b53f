/** The headers of a request are read past `getHeader`, and are those that it tells. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { givenHeader, headersByName, saysClose } from '../../src/node/request-headers.js';
import type { AgentRequest } from '../../src/node/types.js';

const NAMES = ['host', 'connection', 'x-list', 'x-number', 'x-empty', 'constructor', '__proto__'];

/** A request that never gets a socket. */
function asked(headers: RequestOptions['headers']): AgentRequest {
  const agent = new Agent();
  Reflect.set(agent, 'addRequest', () => {});
  return request({ host: 'a.test', headers, agent }) as AgentRequest;
}

test('each header is as `getHeader` tells it, whether Node keeps headers by their names or not', (t) => {
  const requests = [
    asked({ Connection: 'close', 'X-List': ['a', 'b'], 'x-number': 5, 'X-Empty': '' }),
    asked(['Host', 'b.test', 'Connection', 'close']),
    asked({}),
  ];
  requests.push(asked({ 'X-List': 'a' }));
  requests.at(-1)?.removeHeader('X-List');
  const told = (): unknown[] => requests.flatMap((req) => NAMES.map((name) => givenHeader(req, name)));
  const expected = requests.flatMap((req) => NAMES.map((name) => req.getHeader(name)));
  assert.equal(headersByName.holds, true);
  assert.deepEqual(told(), expected);
  const isLast = requests.map(saysClose);
  assert.deepEqual(isLast, [true, true, false, false]);
  t.after(headersByName.switchOff());
  assert.deepEqual(told(), expected);
  assert.deepEqual(requests.map(saysClose), isLast);
});

test('a request that tells its headers in its own way is asked', () => {
  const req = asked({ Connection: 'keep-alive' });
  req.getHeader = (name) => (name === 'connection' ? 'close' : undefined);
  assert.equal(givenHeader(req, 'connection'), 'close');
  assert.equal(saysClose(req), true);
  assert.equal(givenHeader({} as AgentRequest, 'connection'), undefined);
});
