/** The rule that decides, by method and headers, whether a request may be sent twice. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { PoolingAgent } from '../../src/index.js';
import { ReplayRule, replayRule } from '../../src/requests/replayable.js';
import type { AgentRequest } from '../../src/node/types.js';

/** The request as an agent gets it. */
function asked(options: RequestOptions): AgentRequest {
  let asking: AgentRequest | undefined;
  const agent = new Agent();
  Reflect.set(agent, 'addRequest', (req: AgentRequest) => (asking = req));
  request({ ...options, agent });
  assert.ok(asking);
  return asking;
}

const RULE = new ReplayRule();

const CASES: [boolean, RequestOptions][] = [
  [true, {}],
  [true, { method: 'get' }],
  [true, { method: 'HEAD' }],
  [true, { method: 'OPTIONS' }],
  [true, { method: 'TRACE' }],
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
  // The second one may be answered otherwise: only where the option names them.
  [false, { method: 'DELETE' }],
  [false, { method: 'PUT', headers: { 'content-length': 0 } }],
  // A key that is none.
  [false, { method: 'POST', headers: { 'idempotency-key': '', 'content-length': 0 } }],
  [false, { method: 'POST', headers: { 'idempotency-key': ' \t', 'content-length': 0 } }],
  [false, { method: 'POST', headers: ['Host', 'a', 'Idempotency-Key', ' ', 'Content-Length', '0'] }],
  // Conditions that the first one may have changed; GET and HEAD change nothing.
  [true, { headers: { 'If-None-Match': '"1"' } }],
  [true, { method: 'HEAD', headers: { 'If-Match': ['"1"', '"2"'] } }],
  [false, { method: 'OPTIONS', headers: { 'IF-MATCH': '"1"' } }],
  [false, { method: 'OPTIONS', headers: { 'If-None-Match': ['"1"', '"2"'] } }],
  [false, { method: 'OPTIONS', headers: ['Host', 'a', 'if-NONE-match', '*'] }],
  [false, { method: 'TRACE', headers: { 'if-unmodified-since': 'Sat, 29 Oct 1994 19:43:31 GMT' } }],
  [false, { method: 'POST', headers: { 'idempotency-key': 'k', 'if-match': '"1"', 'content-length': 0 } }],
  // A method in disguise.
  [false, { headers: { 'X-HTTP-Method-Override': 'POST' } }],
  [false, { headers: { 'x-http-METHOD': ['DELETE'] } }],
  [false, { headers: ['Host', 'a', 'X-METHOD-OVERRIDE', 'PUT'] }],
  [false, { headers: { 'X-Method-Override': '' } }],
  [
    false,
    { method: 'POST', headers: { 'idempotency-key': 'k', 'x-http-method': 'PUT', 'content-length': 0 } },
  ],
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
    assert.equal(RULE.mayRisk(asked(options)), expected);
  });
}

test('a request of which nothing is known is sent once', () => {
  assert.equal(RULE.mayRisk({} as AgentRequest), false);
});

test('headers that are set after the request has asked for a connection count', () => {
  const req = asked({});
  assert.equal(RULE.mayRisk(req), true);
  req.setHeader('X-Http-Method-Override', 'POST');
  assert.equal(RULE.mayRisk(req), false);
  const post = asked({ method: 'POST', headers: { 'Content-Length': 0 } });
  post.setHeader('IDEMPOTENCY-KEY', 'k');
  assert.equal(RULE.mayRisk(post), true);
});

test('methods that the option names are added, in the letter case in which Node sends them', () => {
  const rule = replayRule('replay', { methods: ['put', 'Delete', 'PROPFIND'] });
  assert.equal(rule.max, 3);
  for (const method of ['GET', 'PUT', 'DELETE', 'propfind'])
    assert.equal(rule.mayRisk(asked({ method, headers: { 'content-length': 0 } })), true, method);
  assert.equal(rule.mayRisk(asked({ method: 'PATCH', headers: { 'content-length': 0 } })), false);
  const conditional = { method: 'PUT', headers: { 'content-length': 0, 'if-match': '"1"' } };
  assert.equal(rule.isRepeatable(asked(conditional)), false);
});

test('how often: a number, digits, a word, or nothing given', () => {
  const values = [
    2,
    '2',
    0,
    true,
    false,
    {},
    { max: 1 },
    { max: '5' },
    { max: null, methods: null },
    { methods: [] },
  ];
  assert.deepEqual(
    values.map((value) => replayRule('replay', value).max),
    [2, 2, 0, 3, 0, 3, 1, 5, 3, 3],
  );
  assert.equal(replayRule('replay', 0).mayRisk(asked({})), false);
});

const REFUSED: [string, unknown][] = [
  ['ERR_OUT_OF_RANGE', -1],
  ['ERR_OUT_OF_RANGE', Number.NaN],
  ['ERR_OUT_OF_RANGE', 1.5],
  ['ERR_INVALID_ARG_TYPE', 'often'],
  ['ERR_INVALID_ARG_TYPE', ['PUT']],
  ['ERR_INVALID_ARG_TYPE', () => true],
  ['ERR_INVALID_ARG_TYPE', 3n],
  ['ERR_INVALID_ARG_TYPE', Symbol('replay')],
  ['ERR_INVALID_ARG_TYPE', { methods: 'PUT' }],
  ['ERR_INVALID_ARG_TYPE', { methods: new Set(['PUT']) }],
  ['ERR_INVALID_ARG_TYPE', { methods: ['PUT', undefined] }],
  ['ERR_INVALID_ARG_TYPE', { methods: Array(1) }],
  ['ERR_INVALID_ARG_VALUE', { methods: ['PUT,DELETE'] }],
  ['ERR_INVALID_ARG_VALUE', { methods: [''] }],
  ['ERR_INVALID_ARG_VALUE', { methods: ['PUT '] }],
  ['ERR_INVALID_ARG_VALUE', { methods: ['POST'] }],
  ['ERR_INVALID_ARG_VALUE', { methods: ['PUT', 'patch'] }],
  ['ERR_INVALID_ARG_VALUE', { methods: ['CONNECT'] }],
];

for (const [code, value] of REFUSED) {
  test(`replay: ${inspect(value)} is refused with ${code}`, () => {
    assert.throws(() => new PoolingAgent({ replay: value as never }), { code, message: /"?replay/ });
  });
}

test('a method that is refused is refused with what to do instead', () => {
  const messageOf = (method: string): string => {
    try {
      replayRule('replay', { methods: [method] });
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.match(messageOf('CONNECT'), /another method than CONNECT, which is never sent again/);
  assert.match(messageOf('post'), /another method than POST, which takes an Idempotency-Key header/);
  assert.throws(() => replayRule('replay', null), { code: 'ERR_INVALID_ARG_TYPE' });
});
