/** Rules, events and errors know the host, also where the pool's key for it is no plain text: abstract Unix sockets, odd characters. */
import assert from 'node:assert/strict';
import { platform } from 'node:os';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { PoolQueueError } from '../../src/index.js';
import type { PoolingAgent } from '../../src/index.js';
import { LIMIT } from '../contract/support.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { createServer, DEFAULT_PORT, PROTOCOL, request } from '../support/protocol.js';
import { until } from '../support/until.js';

type Outcome = number | (Error & { code?: string; host?: string });

function ask(agent: PoolingAgent, options: object): Promise<Outcome> {
  return new Promise((resolve) => {
    const req = request({ agent, ...options }, (res) => {
      res.resume().on('end', () => resolve(res.statusCode ?? 0));
    });
    req.on('error', resolve).end();
  });
}

let sockets = 0;

/** A path in the abstract namespace begins with a NUL: such is every key's separator. */
async function abstractServer(t: TestContext): Promise<string> {
  const path = `\0pooling-agent-${process.pid}-${++sockets}`;
  const server = createServer(await certificate(), (_req, res) => void setTimeout(() => res.end(), 5));
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  t.after(() => server.close());
  return path;
}

const LINUX = { ...LIMIT, skip: platform() === 'linux' ? false : 'no abstract Unix sockets' };

test('an abstract Unix socket: rules, events and errors have the host', LINUX, async (t) => {
  const socketPath = await abstractServer(t);
  const hosts = { 'a.test:8443': { maxSockets: 1, maxQueueSize: 1 } };
  const agent = poolingAgent(t, { hosts, rejectUnauthorized: false });
  const told: string[] = [];
  agent.on('saturated', ({ host }) => told.push(host));
  const outcomes = await Promise.all(
    [1, 2, 3, 4].map(() => ask(agent, { socketPath, host: 'a.test', port: 8443 })),
  );
  const refused = outcomes.filter((outcome) => typeof outcome !== 'number');
  assert.equal(refused.length, 2);
  for (const error of refused) {
    assert.ok(error instanceof PoolQueueError);
    assert.equal(error.host, 'a.test:8443');
    assert.ok(!error.message.includes('\0') && !error.message.includes('['), error.message);
  }
  assert.deepEqual(told, ['a.test:8443']);

  const asked: unknown[] = [];
  const byFunction = poolingAgent(t, {
    rejectUnauthorized: false,
    hosts: (...args) => void asked.push(args),
  });
  assert.equal(await ask(byFunction, { socketPath, host: 'A.Test', port: '8443' }), 200);
  assert.equal(await ask(byFunction, { socketPath }), 200);
  assert.deepEqual(asked, [
    ['a.test', 8443, PROTOCOL],
    ['localhost', DEFAULT_PORT, PROTOCOL],
  ]);
});

test('rules set on the live agent reach them, too', LINUX, async (t) => {
  const socketPath = await abstractServer(t);
  const agent = poolingAgent(t, { rejectUnauthorized: false });
  agent.setHostLimits('*.test', { maxSockets: 0 });
  const answer = ask(agent, { socketPath, host: 'a.test' });
  await until(() => waitingCount(agent) === 1);
  agent.setHostLimits('*.test', undefined);
  assert.equal(await answer, 200);
});

test('hosts with odd characters are told as they are', LIMIT, async (t) => {
  const odd = ['a\0b', '["a"]', 'a\nb', 'a b', '\0', 'ä\0', 'a:b'];
  const asked: string[] = [];
  const agent = poolingAgent(t, {
    hosts: (host) => {
      asked.push(host);
      return { maxSockets: 1, maxQueueSize: 0 };
    },
  });
  const lookup = (_host: string, _options: unknown, done: (error: Error) => void): void =>
    void setImmediate(done, new Error('no such host'));
  for (const host of odd) {
    const options = { host, port: 1, lookup, servername: '', headers: { host: 'odd.test' } };
    const [first, second] = await Promise.all([ask(agent, options), ask(agent, options)]);
    assert.equal(asked.at(-1), host);
    // From Node 22 on, a NUL in a host is refused by the dial: nobody waits for it.
    if (host.includes('\0') && Reflect.get(Object(first), 'code') === 'ERR_INVALID_ARG_VALUE') continue;
    assert.ok(second instanceof PoolQueueError);
    assert.equal(second.host, `${host}:1`);
  }
});
