/**
 * Values of a request's options that nobody expects, on a new connection, on one that is free, and on one that is waited for: an
 * error of that request at most. Nothing is uncaught, no slot is lost, and the next request is served.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { LIMIT, send } from '../contract/support.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

const thrown = new Error('valueOf');
const throwing = (): never => {
  throw thrown;
};

const VALUES: readonly unknown[] = [
  Symbol('value'),
  1n,
  -1n,
  { valueOf: throwing, toString: throwing, [Symbol.toPrimitive]: throwing },
  Object.create(null),
  'text',
  '5',
  '',
  NaN,
  Infinity,
  -1,
  1.5,
  2 ** 40,
  null,
  true,
  [],
  throwing,
];

const OPTIONS = [
  'highWaterMark',
  'timeout',
  'priority',
  'setHost',
  'noDelay',
  'keepAlive',
  'keepAliveInitialDelay',
  'family',
  'localPort',
  'autoSelectFamily',
  'servername',
] as const;

/** The outcome of a request whose making may throw. */
async function outcome(make: () => ReturnType<typeof send>): Promise<unknown> {
  let sent;
  try {
    sent = make();
  } catch (error) {
    return error;
  }
  await sent.closed;
  assert.ok(sent.events.length === 2, `one answer or one error, and the end of it: ${sent.events.join()}`);
  return sent.errors[0];
}

async function setUp(t: TestContext) {
  const server = await httpsServer(
    t,
    (req, res) => void setTimeout(() => res.end(), req.url === '/slow' ? 5 : 0),
  );
  const agent = poolingAgent(t, { ca: server.ca, maxTotalSockets: 1, connectTimeout: 2000 });
  const isWell = async (): Promise<void> => {
    assert.equal((await get(server, { agent })).status, 200);
    assert.equal(agent.totalSocketCount, 1);
    assert.equal(waitingCount(agent), 0);
  };
  return { server, agent, isWell };
}

for (const name of OPTIONS) {
  describe(`A value of ${name} that nobody expects`, () => {
    it('on a new connection, a free one, and one that is waited for', LIMIT, async (t) => {
      const { server, agent, isWell } = await setUp(t);
      for (const value of VALUES) {
        const ask = (): Promise<unknown> => outcome(() => send(server, { agent, [name]: value }));
        agent.destroy();
        await until(() => agent.totalSocketCount === 0);
        await ask();
        await isWell();
        await ask();
        await isWell();
        const slow = get(server, { agent, path: '/slow' });
        const behind = ask();
        const last = get(server, { agent });
        await Promise.all([slow, behind, last]);
        await isWell();
      }
    });
  });
}

it(
  'a highWaterMark is the same error on a new connection, a free one, and one that is waited for',
  LIMIT,
  async (t) => {
    const { server, agent, isWell } = await setUp(t);
    for (const highWaterMark of VALUES) {
      if (highWaterMark === null || highWaterMark === 2 ** 40) continue;
      const ask = (): Promise<unknown> => outcome(() => send(server, { agent, highWaterMark }));
      agent.destroy();
      await until(() => agent.totalSocketCount === 0);
      const errors = [await ask()];
      await isWell();
      errors.push(await ask());
      const slow = get(server, { agent, path: '/slow' });
      errors.push(await ask());
      await slow;
      await isWell();
      // On Node 24 and later, Node's own client throws for some, when it compares what it holds with them.
      for (const error of errors) assert.ok(error instanceof TypeError || error === thrown, String(error));
    }
  },
);

it('a timeout that somebody writes on a request after Node has validated the option', LIMIT, async (t) => {
  const { server, agent, isWell } = await setUp(t);
  for (const timeout of VALUES) {
    const ask = async (): Promise<void> => {
      const { req, closed, errors } = send(server, { agent });
      Object.assign(req, { timeout });
      await closed;
      for (const error of errors) assert.match(String(error), /"timeout"/);
    };
    agent.destroy();
    await until(() => agent.totalSocketCount === 0);
    await ask();
    await isWell();
    await ask();
    const slow = get(server, { agent, path: '/slow' });
    await Promise.all([slow, ask()]);
    await isWell();
  }
});
