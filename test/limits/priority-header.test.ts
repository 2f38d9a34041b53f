/** `priorityHeader`: requests that wait go by the header that proxies pass on, if that is asked for, and their options say nothing. */
import assert from 'node:assert/strict';
import { OutgoingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { AgentRequest } from '../../src/node/types.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { priorityInHeader } from '../../src/requests/priority-header.js';
import { holdingServer } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { request } from '../support/protocol.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

test('what counts is the last u, from 0 to 7; whatever else it may be counts for nothing', () => {
  for (const [header, expected] of [
    ['u=0', 0],
    ['u=7, i', 7],
    ['i, u=5', 5],
    ['i=?0,u=2;foo=bar;baz', 2],
    [' u=1 ', 1],
    ['u=01', 1],
    ['u=1, u=6', 6],
    ['x="a, u=1", u=4', 4],
    ['x="a\\", u=1"', undefined],
    [['u=1', 'i'], 1],
    ['u=1, u=x', undefined],
    ['u=8', undefined],
    ['u=-1', undefined],
    ['u=1.5', undefined],
    ['u="1"', undefined],
    ['u', undefined],
    ['U=1', undefined],
    ['urgency=1', undefined],
    ['1', undefined],
    ['', undefined],
    [`u=${'0'.repeat(20_000)}1`, undefined],
    [',,=,;u=1', undefined],
  ] as const) {
    const message = new OutgoingMessage();
    message.setHeader('Priority', header as string);
    assert.equal(priorityInHeader(message as unknown as AgentRequest), expected, String(header).slice(0, 30));
  }
  assert.equal(priorityInHeader(new OutgoingMessage() as unknown as AgentRequest), undefined);
  assert.equal(priorityInHeader({} as AgentRequest), undefined);
});

/** The order in which requests with these options get the agent's only connection, by their paths. */
async function orderOf(
  t: TestContext,
  options: PoolingAgentOptions,
  requests: Record<string, RequestOptions>,
): Promise<string[]> {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, ...options });
  const order: string[] = [];
  const start = (path: string, more: RequestOptions): void => {
    const req = request({ host: 'localhost', port: server.port, agent, path, ...more }, (res) =>
      res.resume(),
    );
    req.on('error', () => {}).on('socket', () => order.push(path));
    req.end();
  };
  start('/first', {});
  await until(() => server.held.length === 1);
  for (const [path, more] of Object.entries(requests)) start(path, more);
  await until(() => {
    for (const res of server.held.splice(0)) res.end();
    return order.length === Object.keys(requests).length + 1;
  });
  return order.slice(1);
}

const REQUESTS: Record<string, RequestOptions> = {
  '/none': {},
  '/5': { headers: { priority: 'u=5' } },
  '/list': { headers: ['Host', 'localhost', 'Priority', 'u=1'] },
  '/bad': { headers: { Priority: 'u=9' } },
  '/option': { headers: { Priority: 'u=0' }, priority: 6 },
  '/0': { headers: { Priority: 'u=0, i' } },
};

test('requests go by it', LIMIT, async (t) => {
  const order = await orderOf(t, { priorityHeader: true }, REQUESTS);
  assert.deepEqual(order, ['/0', '/list', '/none', '/bad', '/5', '/option']);
});

test('unless nobody asks for that', LIMIT, async (t) => {
  assert.deepEqual(await orderOf(t, {}, REQUESTS), ['/none', '/5', '/list', '/bad', '/0', '/option']);
});
