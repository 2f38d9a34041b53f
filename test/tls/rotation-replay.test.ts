/** Certificates that change while a request is on its way that is sent again: its next connection is one of now. */
import assert from 'node:assert/strict';
import type { AgentOptions } from 'node:https';
import { before, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { PoolingAgent } from '../../src/index.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { send, untilIdle } from '../contract/support.js';
import type { Sent } from '../contract/support.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { get, rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { authority } from './authority.js';
import type { Authority, Identity } from './authority.js';

const LIMIT = { timeout: 120_000 };
const BINDINGS = ['eager', 'late'] as const;

let ca: Authority;
let stranger: Authority;
let serverIdentity: Identity;
let one: Identity;
let two: Identity;

before(async () => {
  [ca, stranger] = await Promise.all([authority('an authority'), authority('another one')]);
  [serverIdentity, one, two] = (await Promise.all(
    ['localhost', 'one', 'two'].map((name) => ca.issue(name)),
  )) as [Identity, Identity, Identity];
});

interface Scene {
  readonly port: number;
  /** Requests as they came: path and client. */
  readonly received: string[];
  /** Resets the connection on which `/held` has come. */
  lose(): void;
  readonly peak: () => number;
}

/** Answers with the client's name; the first request for `/held` gets no answer. */
async function scene(t: TestContext): Promise<Scene> {
  const received: string[] = [];
  let held: TLSSocket | undefined;
  const server = await rawServer(
    t,
    (socket) => {
      const { CN = 'nobody' } = socket.getPeerCertificate().subject ?? {};
      socket.on('data', (data: Buffer) => {
        const path = data.toString('latin1').split(' ')[1];
        received.push(`${path} ${CN}`);
        if (path === '/held' && !held) held = socket;
        else socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${CN.length}\r\n\r\n${CN}`);
      });
    },
    { ...serverIdentity, ca: ca.cert, requestCert: true, rejectUnauthorized: false },
  );
  return { port: server.port, received, lose: () => void held?.destroy(), peak: server.peak };
}

const ask = ({ port }: Scene, agent: PoolingAgent, path: string): Promise<unknown> =>
  get({ port, ca: undefined as never }, { agent, path });

/** `/held` is on a connection that has served before, and no answer comes. */
async function holding(
  t: TestContext,
  options: PoolingAgentOptions,
): Promise<{ at: Scene; agent: PoolingAgent; held: Sent }> {
  const at = await scene(t);
  const agent = poolingAgent(t, { validateAfterIdle: Infinity, ...options });
  await ask(at, agent, '/warm');
  await untilIdle(agent);
  const held = send({ port: at.port }, { agent, path: '/held' });
  await until(() => at.received.includes('/held one') || at.received.includes('/held nobody'));
  return { at, agent, held };
}

async function isAnsweredAs(name: string, at: Scene, { closed, errors }: Sent): Promise<void> {
  await closed;
  assert.deepEqual(errors, []);
  assert.equal(at.received.at(-1), `/held ${name}`);
}

for (const binding of BINDINGS) {
  test(`${binding} binding: lost after updateTls`, LIMIT, async (t) => {
    const { at, agent, held } = await holding(t, { ca: ca.cert, ...one, binding });
    agent.updateTls(two);
    at.lose();
    await isAnsweredAs('two', at, held);
  });

  // The last replay waits for the place of the lost connection, those before it in the queue, if there is no other place.
  for (const max of [1, 3]) {
    for (const limit of max === 1 ? [1, Infinity] : [1]) {
      const title = `${binding} binding, at most ${max} replays, ${limit} connections`;
      test(`${title}: lost before updateTls, and still closing`, LIMIT, async (t) => {
        const options = { ca: ca.cert, ...one, binding, replay: { max }, maxSockets: limit };
        const { at, agent, held } = await holding(t, { ...options, maxTotalSockets: limit });
        held.req.socket?.prependListener('close', () => agent.updateTls(two));
        at.lose();
        await isAnsweredAs('two', at, held);
        assert.ok(at.peak() <= limit);
      });

      test(`${title}: options changed in place`, LIMIT, async (t) => {
        const options = { ca: ca.cert, ...one, binding, replay: { max }, maxSockets: limit };
        const { at, agent, held } = await holding(t, options);
        held.req.socket?.prependListener('close', () => void Object.assign(agent.options, two));
        at.lose();
        await isAnsweredAs('two', at, held);
      });
    }

    test(
      `${binding} binding, at most ${max} replays: a tls function that gives something else`,
      LIMIT,
      async (t) => {
        let current = one;
        const { at, held } = await holding(t, {
          tls: () => ({ ca: ca.cert, ...current }),
          binding,
          replay: { max },
        });
        current = two;
        at.lose();
        await isAnsweredAs('two', at, held);
      },
    );
  }

  test(`${binding} binding: a server that is trusted no more hears nothing again`, LIMIT, async (t) => {
    const { at, agent, held } = await holding(t, { ca: ca.cert, binding });
    agent.updateTls({ ca: stranger.cert });
    at.lose();
    await held.closed;
    assert.match(String(held.errors[0]?.code), /^(UNABLE_TO_|SELF_SIGNED_)/);
    assert.deepEqual(at.received, ['/warm nobody', '/held nobody']);
  });
}

test('idle connections of before do not serve it either', LIMIT, async (t) => {
  const { at, agent, held } = await holding(t, { ca: ca.cert, ...one });
  await Promise.all([ask(at, agent, '/more'), ask(at, agent, '/more')]);
  await untilIdle(agent, 2);
  Object.assign(agent.options, two);
  at.lose();
  await isAnsweredAs('two', at, held);
});

test('one that is destroyed in between ends, and nothing waits', LIMIT, async (t) => {
  const { at, agent, held } = await holding(t, { ca: ca.cert, ...one, replay: { max: 1 } });
  held.req.socket?.prependListener('close', () => {
    agent.updateTls(two);
    held.req.destroy();
  });
  at.lose();
  await held.closed;
  assert.deepEqual(held.events, ['error', 'close']);
  assert.equal(waitingCount(agent), 0);
  await until(() => agent.totalSocketCount === 0);
});

test('options that are nonsense by then are its error', LIMIT, async (t) => {
  const { at, agent, held } = await holding(t, { ca: ca.cert, ...one });
  (agent.options as Record<string, unknown>)['servername'] = 5;
  at.lose();
  await held.closed;
  assert.equal(held.errors[0]?.code, 'ERR_INVALID_ARG_TYPE');
  assert.deepEqual(held.events, ['error', 'close']);
});

/** Opens its connections a moment after it was asked to. */
class SlowAgent extends PoolingAgent {
  override createSocket(...args: Parameters<PoolingAgent['createSocket']>): void {
    setTimeout(() => super.createSocket(...args), 20);
  }
}

test('createSocket of a subclass that takes its time', LIMIT, async (t) => {
  const at = await scene(t);
  const agent = new SlowAgent({ ca: ca.cert, ...one } as AgentOptions);
  t.after(() => agent.destroy());
  const answer = ask(at, agent, '/slow');
  agent.updateTls({ ...two, ca: ca.cert });
  await answer;
  assert.deepEqual(at.received, ['/slow two']);
  await until(() => agent.totalSocketCount === 0);
});

test('createSocket that somebody else calls asks the tls function', LIMIT, async (t) => {
  const at = await scene(t);
  let current = one;
  const agent = poolingAgent(t, { tls: () => ({ ca: ca.cert, ...current }) });
  const { req } = await get({ port: at.port, ca: undefined as never }, { agent });
  current = two;
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    agent.createSocket(req as never, { host: 'localhost', port: at.port }, (error, opened) =>
      error ? reject(error) : resolve(opened as TLSSocket),
    );
  });
  t.after(() => socket.destroy());
  assert.equal((agent.options as { cert?: string }).cert, two.cert);
});
