/** Diagnostics channels: what is published when, in which context, and that nothing is built where nobody subscribes. */
import assert from 'node:assert/strict';
import type { Agent as NodesAgent } from 'node:https';
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ChannelMessages } from '../../src/index.js';
import { channels } from '../../src/observe/channels.js';
import { poolingAgent } from '../support/agent.js';
import { Agent, isPlain, request, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { losingServer } from './losing-server.js';

const LIMIT = { timeout: 120_000 };
const PREFIX = 'pooling-https-agent:';

type Name = keyof ChannelMessages;
type Heard = { [N in Name]: { name: N; message: ChannelMessages[N] } }[Name];

/** Subscribes to all channels of ours until the test is over. Only what agents of that name tell. */
function hear(t: TestContext, agent: string): Heard[] {
  const heard: Heard[] = [];
  for (const { name } of Object.values(channels)) {
    const listener = (message: unknown): void => {
      if ((message as { agent: unknown }).agent === agent) heard.push({ name, message } as Heard);
    };
    subscribe(name, listener);
    t.after(() => unsubscribe(name, listener));
  }
  return heard;
}

function namesOf(heard: readonly Heard[]): string[] {
  return heard.map(({ name }) => name.slice(PREFIX.length));
}

function of<N extends Name>(heard: readonly Heard[], name: N): ChannelMessages[N][] {
  return heard.filter((one) => one.name === name).map(({ message }) => message as ChannelMessages[N]);
}

function quiet(req: ClientRequest): ClientRequest {
  req.on('response', (res) => res.resume());
  return req.on('error', () => {}).end();
}

test('there are nine channels', () => {
  const names = Object.values(channels).map(({ name }) => String(name).slice(PREFIX.length));
  assert.deepEqual(names.toSorted(), [
    'connection:close',
    'connection:open',
    'host:drained',
    'host:saturated',
    'request:assigned',
    'request:queued',
    'request:refused',
    'request:replayed',
    'tls:rotated',
  ]);
});

test('a connection from open to close, and its requests', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const heard = hear(t, 'one');
  const agent = poolingAgent(t, { ca: server.ca, name: 'one' });
  const { req: first } = await get(server, { agent });
  await until(() => agent.stats().idle === 1);
  const { req: second } = await get(server, { agent });
  agent.destroy();
  await until(() => of(heard, 'pooling-https-agent:connection:close').length === 1);
  assert.deepEqual(namesOf(heard), [
    'connection:open',
    'request:assigned',
    'request:assigned',
    'connection:close',
  ]);
  const host = `localhost:${server.port}`;
  const [open] = of(heard, 'pooling-https-agent:connection:open');
  assert.ok(open);
  const { connection } = open;
  assert.deepEqual(open, { agent: 'one', host, connection, request: first });
  const [cold, warm] = of(heard, 'pooling-https-agent:request:assigned');
  assert.ok(cold && cold.waited >= 0);
  assert.deepEqual(cold, {
    agent: 'one',
    host,
    request: first,
    connection,
    waited: cold.waited,
    reused: false,
  });
  assert.deepEqual([warm?.request, warm?.connection, warm?.reused], [second, connection, true]);
  const [close] = of(heard, 'pooling-https-agent:connection:close');
  assert.ok(close && close.age > 0 && close.connectTime && close.connectTime > 0);
  const { age, connectTime } = close;
  assert.deepEqual(close, {
    agent: 'one',
    host,
    connection,
    reason: 'destroyed',
    age,
    connectTime,
    requests: 2,
    phase: undefined,
    code: undefined,
  });
});

for (const binding of ['eager', 'late'] as const) {
  test(`a dial that fails, ${binding} binding: its phase and its code`, LIMIT, async (t) => {
    const heard = hear(t, binding);
    const agent = poolingAgent(t, { name: binding, binding });
    quiet(request({ host: '127.0.0.1', port: 1, agent }));
    await until(() => of(heard, 'pooling-https-agent:connection:close').length === 1);
    const [close] = of(heard, 'pooling-https-agent:connection:close');
    const { age, code, connectTime, phase, reason } = close ?? {};
    assert.deepEqual([reason, phase, code], ['connect-failed', 'connect', 'ECONNREFUSED']);
    assert.deepEqual([age, connectTime], [0, undefined]);
    assert.equal(of(heard, 'pooling-https-agent:connection:open').length, 1);
  });
}

test('requests that wait, are refused, and the host that they wait at', LIMIT, async (t) => {
  let answer = (): void => {};
  const server = await httpsServer(t, (_req, res) => void (answer = () => res.end()));
  const heard = hear(t, 'full');
  const agent = poolingAgent(t, { ca: server.ca, name: 'full', maxSockets: 1, maxQueueSize: 1 });
  const first = quiet(request({ host: 'localhost', port: server.port, agent }));
  await until(() => agent.explain(first).state === 'active');
  const second = quiet(request({ host: 'localhost', port: server.port, agent }));
  const third = quiet(request({ host: 'localhost', port: server.port, agent }));
  await until(() => server.requests() === 1);
  answer();
  await until(() => server.requests() === 2);
  answer();
  await until(() => agent.stats().idle === 1);
  const host = `localhost:${server.port}`;
  assert.deepEqual(of(heard, 'pooling-https-agent:request:queued'), [
    { agent: 'full', host, request: second, waiting: 1 },
  ]);
  assert.deepEqual(of(heard, 'pooling-https-agent:request:refused'), [
    { agent: 'full', host, request: third, reason: 'queueFull', waited: 0 },
  ]);
  const [, assigned] = of(heard, 'pooling-https-agent:request:assigned');
  assert.ok(assigned && assigned.waited > 0 && assigned.request === second);
  const [saturated] = of(heard, 'pooling-https-agent:host:saturated');
  const [drained] = of(heard, 'pooling-https-agent:host:drained');
  assert.deepEqual(saturated, { agent: 'full', host, waiting: 1, active: 1, idle: 0, maxSockets: 1 });
  assert.deepEqual([drained?.host, drained?.waiting], [host, 0]);
});

test('a request that is sent again', LIMIT, async (t) => {
  const server = await losingServer(t);
  const heard = hear(t, 'again');
  const agent = poolingAgent(t, { ca: server.ca, name: 'again' });
  await get(server, { agent });
  await until(() => agent.stats().idle === 1);
  const { req } = await get(server, { agent });
  await until(() => of(heard, 'pooling-https-agent:request:assigned').length === 3);
  const [replayed] = of(heard, 'pooling-https-agent:request:replayed');
  const [, lost, found] = of(heard, 'pooling-https-agent:request:assigned');
  assert.deepEqual([replayed?.request, replayed?.connection, replayed?.count], [req, lost?.connection, 1]);
  assert.deepEqual([found?.request, found?.reused], [req, false]);
});

test('TLS options that change', { ...LIMIT, ...TLS_ONLY }, async (t) => {
  const server = await httpsServer(t);
  const heard = hear(t, 'tls');
  const agent = poolingAgent(t, { ca: server.ca, name: 'tls' });
  agent.updateTls({ passphrase: 'a secret' });
  await until(() => heard.length === 1);
  assert.deepEqual(heard[0]?.message, { agent: 'tls', by: 'updateTls' });
});

test('subscribers may do anything, in the async context of the request', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const storage = new AsyncLocalStorage<number>();
  const seen: unknown[] = [];
  const agent = poolingAgent(t, { ca: server.ca, name: 'context', maxSockets: 1 });
  const onAssigned = (message: unknown): void => {
    if ((message as { agent: unknown }).agent !== 'context') return;
    seen.push(storage.getStore());
    agent.stats();
    if (seen.length === 3) agent.destroy();
  };
  subscribe('pooling-https-agent:request:assigned', onAssigned);
  t.after(() => unsubscribe('pooling-https-agent:request:assigned', onAssigned));
  await Promise.allSettled([1, 2, 3].map((n) => storage.run(n, () => get(server, { agent }))));
  assert.deepEqual(seen, [1, 2, 3]);
});

test('a connection that was given up before its dial began is published as opened, too', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const heard = hear(t, 'given up');
  const agent = poolingAgent(t, { ca: server.ca, name: 'given up' });
  agent.maxSockets = 0;
  quiet(request({ host: 'localhost', port: server.port, agent }));
  await until(() => agent.stats().queued === 1);
  agent.maxSockets = 1;
  agent.destroy();
  await until(() => of(heard, 'pooling-https-agent:connection:close').length === 1);
  assert.deepEqual(
    namesOf(heard).filter((name) => name.startsWith('connection:')),
    ['connection:open', 'connection:close'],
  );
  const [open] = of(heard, 'pooling-https-agent:connection:open');
  const [close] = of(heard, 'pooling-https-agent:connection:close');
  assert.equal(open?.connection, close?.connection);
  assert.equal(open?.request, undefined);
  assert.equal(agent.stats().opened, 1);
  assert.equal(server.connections(), 0);
});

// Last: mocks leave behind a method of their own on the channels.
test('nothing is built where nobody subscribes', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  for (const one of Object.values(channels)) {
    assert.equal(one.hasSubscribers, false);
    t.mock.method(one, 'publish', () => assert.fail('published'));
  }
  await get(server, { agent });
  await get(server, { agent });
  if (!isPlain) agent.updateTls({});
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
});

test("Node's own channels fire as with Node's agent", LIMIT, async (t) => {
  const own = [
    'net.client.socket',
    'http.client.request.created',
    'http.client.request.start',
    'http.client.request.error',
    'http.client.response.finish',
  ];
  const server = await httpsServer(t);
  const listenTo = (heard: string[]): (() => void) => {
    const stops = own.map((name) => {
      const listener = (): void => void heard.push(name);
      channel(name).subscribe(listener);
      return () => channel(name).unsubscribe(listener);
    });
    return () => {
      for (const stop of stops) stop();
    };
  };
  const run = async (agent: NodesAgent): Promise<string[]> => {
    const heard: string[] = [];
    const stop = listenTo(heard);
    await get(server, { agent });
    await new Promise((resolve) => setImmediate(resolve));
    await get(server, { agent });
    await new Promise((resolve) =>
      quiet(request({ host: '127.0.0.1', port: 1, agent })).on('close', resolve),
    );
    stop();
    return heard;
  };
  const nodes = new Agent({ keepAlive: true, ca: server.ca });
  t.after(() => nodes.destroy());
  assert.deepEqual(await run(poolingAgent(t, { ca: server.ca })), await run(nodes));
});
