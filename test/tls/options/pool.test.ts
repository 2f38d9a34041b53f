/** The pool's own options: the agent's alone. Tests of the pool show all that they do; the tests here show that they are heeded, and where. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { idleCount, poolOf } from '../../support/agent.js';
import type { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { at, mirror } from './support.js';
import type { Client } from './support.js';

/** Answers when as many requests are there as are asked for, in the order in which they came. */
async function gathering(t: TestContext, count: number): Promise<TestServer> {
  const held: ServerResponse[] = [];
  return mirror(t, {}, (_req: IncomingMessage, res) => {
    held.push(res);
    if (held.length >= count) for (const answer of held.splice(0)) answer.end('{}');
  });
}

async function askTogether(one: Client, server: TestServer, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, () => one.ask(server)));
}

for (const name of ['maxSockets', 'maxTotalSockets']) {
  at('agent', [name], 'bounds what is open', async ({ t, client }) => {
    const server = await mirror(t);
    await askTogether(client({ [name]: 1 }), server, 3);
    assert.equal(server.connections(), 1);
  });

  at('request', [name], 'is the agent’s', async ({ t, client }) => {
    const server = await gathering(t, 3);
    await askTogether(client({ [name]: 1 }), server, 3);
    assert.equal(server.peak(), 3);
  });
}

at('agent', ['maxFreeSockets'], 'bounds what is idle', async ({ t, client }) => {
  const server = await gathering(t, 3);
  const one = client({ maxFreeSockets: 1 });
  await askTogether(one, server, 3);
  await until(() => server.open() === 1 && idleCount(one.agent) === 1);
});

at('request', ['maxFreeSockets'], 'is the agent’s', async ({ t, client }) => {
  const server = await gathering(t, 3);
  const one = client({ maxFreeSockets: 1 });
  await askTogether(one, server, 3);
  await until(() => idleCount(one.agent) === 3);
});

/** Whether the connection that became idle last is used next. */
async function takesTheLast(t: TestContext, one: Client): Promise<boolean> {
  const held: ServerResponse[] = [];
  const server = await mirror(t, {}, (_req, res) => void held.push(res));
  const answers = [one.ask(server), one.ask(server)];
  await until(() => held.length === 2);
  const idle: unknown[] = [];
  for (const answer of held.splice(0)) {
    answer.end('{}');
    idle.push((await Promise.race(answers)).socket);
    await until(() => [...poolOf(one.agent).idle].length === idle.length);
    // The remaining options.
    for (const [i, ended] of (await Promise.all(answers.map(isSettled))).entries())
      if (ended) answers.splice(i, 1);
  }
  const next = one.ask(server);
  await until(() => held.length === 1);
  held[0]?.end('{}');
  const { socket } = await next;
  assert.ok(idle.includes(socket));
  return socket === idle[1];
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return (await Promise.race([promise, 'pending'])) !== 'pending';
}

at('agent', ['scheduling'], 'decides which idle connection is next', async ({ t, client }) => {
  assert.equal(await takesTheLast(t, client({ scheduling: 'lifo' })), true);
  assert.equal(await takesTheLast(t, client({ scheduling: 'fifo' })), false);
});

at('request', ['scheduling'], 'is the agent’s', async ({ t, client }) => {
  assert.equal(await takesTheLast(t, client({ scheduling: 'fifo' })), true);
});

const closing = (t: TestContext): Promise<TestServer> =>
  mirror(t, {}, (_req, res) => void res.setHeader('connection', 'close').end('{}'));

at('agent', ['maxCachedSessions'], 'bounds the sessions remembered', async ({ t, client }) => {
  const server = await closing(t);
  const one = client({ maxCachedSessions: 0 });
  for (let i = 0; i < 3; i++) await one.ask(server);
  assert.equal(server.resumed(), 0);
});

at('request', ['maxCachedSessions'], 'is the agent’s', async ({ t, client }) => {
  const server = await closing(t);
  const one = client({ maxCachedSessions: 0 });
  for (let i = 0; i < 3; i++) await one.ask(server);
  assert.equal(server.resumed(), 2);
});
