/** `agent.lend()`: for client libraries that end the agent that they were given. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, mock } from 'node:test';
import { inspect } from 'node:util';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import axios from 'axios';
import { untilIdle } from '../contract/support.js';
import { fate, holdingServer, LIMIT } from './support.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { Agent, isPlain, PoolingAgent, PROTOCOL } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { kPool } from '../../src/agent/pooling-agent.js';
import type { PoolingAgentOptions } from '../../src/index.js';

/** All that ends connections of others. */
async function endAll(agent: PoolingAgent): Promise<void> {
  agent.destroy();
  agent.destroy(new Error('by the borrower'));
  agent.closeIdleConnections();
  agent.closeAllConnections();
  await agent.close();
  await agent.close({ timeout: 0 });
  await agent[Symbol.asyncDispose]();
}

const AGENT = isPlain ? 'httpAgent' : 'httpsAgent';

describe('A lent agent', () => {
  it('ends nothing: neither what is in use, nor what is idle, nor what waits', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { maxSockets: 1 });
    await get(server, { agent, path: '/quick' });
    await untilIdle(agent);
    const lent = agent.lend();
    await endAll(lent);
    assert.equal(idleCount(agent), 1);
    const active = fate(get(server, { agent, path: '/active' }));
    const waiting = fate(get(server, { agent: lent, path: '/waiting' }));
    await until(() => server.held.size === 1);
    await endAll(lent);
    assert.equal(lent.closed, false);
    server.answer();
    assert.equal(await active, '/active');
    await until(() => server.held.size === 1);
    server.answer();
    assert.equal(await waiting, '/waiting');
    assert.equal(server.connections(), 1, 'requests of both share connections');
  });

  it('ends with its owner', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t);
    const lent = agent.lend();
    await get(server, { agent: lent });
    agent.destroy();
    assert.equal(idleCount(lent), 0);
    assert.equal((await get(server, { agent: lent })).status, 200);
    await agent.close();
    assert.equal(lent.closed, true);
    await lent.close();
    await assert.rejects(get(server, { agent: lent }), { code: 'ERR_AGENT_CLOSED' });
  });

  it('is the agent in everything else, both ways', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { name: 'orders', ca: server.ca });
    const lent = agent.lend();
    assert.ok(lent instanceof PoolingAgent && lent instanceof Agent);
    assert.equal(lent.constructor, PoolingAgent);
    assert.equal(lent.createConnection, Agent.prototype.createConnection, 'what http2-wrapper asks');
    assert.equal(lent.name, 'orders');
    assert.equal(lent[kPool], agent[kPool]);

    lent.maxSockets = 3;
    agent.maxFreeSockets = 4;
    lent.options.timeout = 5000;
    assert.deepEqual([agent.maxSockets, lent.maxFreeSockets, agent.options.timeout], [3, 4, 5000]);
    assert.throws(() => (lent.maxSockets = -1), { code: 'ERR_OUT_OF_RANGE' });
    lent.options = { ...lent.options, timeout: 6000 };
    assert.equal(agent.options.timeout, 6000);

    await lent.preconnect(server.url);
    assert.deepEqual(lent.freeSockets, agent.freeSockets);
    const { req } = await get(server, { agent: lent });
    await untilIdle(agent);
    assert.equal(agent.explain(req).state, 'done');
    assert.equal(lent.explain(req).state, 'done');
    assert.equal(lent.totalSocketCount, 1);
    assert.deepEqual(lent.stats(), agent.stats());
    assert.equal(agent.stats().requests, 1);
    assert.deepEqual(lent.toJSON(), agent.toJSON());
    assert.equal(JSON.stringify(lent), JSON.stringify(agent));
    assert.equal(inspect(lent), inspect(agent));
    assert.deepEqual(Object.keys(lent), Object.keys(agent));

    if (isPlain) agent.closeIdleConnections();
    else lent.updateTls({ ca: server.ca });
    assert.equal(idleCount(agent), 0);
    lent.setHostLimits('localhost', { maxSockets: 0 });
    const waiting = fate(get(server, { agent }));
    await until(() => agent.stats().waiting === 1);
    agent.setHostLimits('localhost', null);
    assert.equal(await waiting, '/');
  });

  it('has the listeners of the agent', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t);
    const lent = agent.lend();
    const heard: string[] = [];
    const onFree = (): unknown => heard.push('free');
    assert.equal(lent.on('free', onFree), lent);
    lent.once('keylog', () => heard.push('keylog'));
    const freed = once(lent, 'free');
    await get(server, { agent });
    await freed;
    assert.deepEqual(heard, isPlain ? ['free'] : ['keylog', 'free']);
    assert.equal(agent.listenerCount('keylog'), isPlain ? 1 : 0);
    assert.deepEqual(lent.listeners('free'), agent.listeners('free'));
    agent.off('free', onFree);
    await get(server, { agent: lent });
    await untilIdle(agent);
    assert.deepEqual(heard, isPlain ? ['free'] : ['keylog', 'free']);
    lent.on('leak', () => heard.push('leak'));
    assert.equal(agent.emit('leak'), true);
    lent.removeAllListeners('leak');
    assert.equal(lent.emit('leak'), false);
    assert.equal((await get(server, { agent })).status, 200);
  });

  it('is lent on, and copied to an agent of its own', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await get(server, { agent });
    await untilIdle(agent);
    const again = agent.lend().lend();
    await endAll(again);
    assert.equal((await get(server, { agent: again })).req.reusedSocket, true);

    const lent = agent.lend();
    const spread = { ...lent };
    const copies = [
      Object.setPrototypeOf(spread, PoolingAgent.prototype) as PoolingAgent,
      Object.create(PoolingAgent.prototype, Object.getOwnPropertyDescriptors(lent)) as PoolingAgent,
    ];
    for (const copy of copies) {
      assert.equal((await get(server, { agent: copy })).req.reusedSocket, false);
      assert.notEqual(copy[kPool], agent[kPool]);
      copy.destroy();
      assert.equal(idleCount(copy), 0);
    }
    assert.equal(idleCount(agent), 1);
    const inheriting = Object.create(lent) as PoolingAgent;
    await endAll(inheriting);
    assert.equal((await get(server, { agent: inheriting })).req.reusedSocket, true);
  });

  it('of a copy is that copy', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const copy = Object.assign(Object.create(PoolingAgent.prototype), agent) as PoolingAgent;
    t.after(() => copy.destroy());
    const lent = copy.lend();
    await get(server, { agent: lent });
    await endAll(lent);
    assert.equal((await get(server, { agent: copy })).req.reusedSocket, true);
    assert.equal(agent.totalSocketCount, 0);
  });

  it('keeps to itself what a borrower puts in the place of these methods', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t);
    const lent = agent.lend();
    await get(server, { agent });
    await untilIdle(agent);
    const spy = mock.method(lent, 'destroy');
    lent.destroy();
    assert.equal(spy.mock.callCount(), 1);
    spy.mock.restore();
    lent.destroy();
    const { close } = lent;
    let closed = 0;
    lent.close = async function (this: PoolingAgent) {
      closed++;
      await close.call(this);
    };
    await lent.close();
    assert.equal(closed, 1);
    assert.equal(Reflect.deleteProperty(lent, 'close'), true);
    await lent.close();
    assert.equal(closed, 1);
    assert.equal(idleCount(agent), 1);
    agent.destroy();
    assert.equal(idleCount(agent), 0, 'the methods of the agent are what they were');
  });
});

class Counting extends PoolingAgent {
  #requests = 0;
  #limit = 0;

  constructor(options: PoolingAgentOptions) {
    super(options);
    this.#limit = 1;
  }

  get requestsSoFar(): number {
    return this.#requests;
  }

  get limit(): number {
    return this.#limit;
  }

  set limit(limit: number) {
    this.#limit = limit;
  }

  override addRequest(...args: Parameters<PoolingAgent['addRequest']>): void {
    this.#requests++;
    super.addRequest(...args);
  }

  self(): this {
    this.#limit++;
    return this;
  }

  override destroy(error?: Error): void {
    this.#limit = 0;
    super.destroy(error);
  }
}

it('An agent of a subclass is lent with its private fields', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = new Counting({ ca: server.ca });
  t.after(() => agent.destroy());
  const lent = agent.lend();
  assert.ok(lent instanceof Counting);
  lent.limit = 7;
  assert.equal(lent.self(), lent, 'a borrower does not get hold of the agent');
  assert.equal(lent.self, lent.self);
  await get(server, { agent: lent });
  await untilIdle(agent);
  await endAll(lent);
  assert.deepEqual([lent.requestsSoFar, agent.limit, idleCount(agent)], [1, 8, 1]);
});

it('Functions that users have put on the agent stay what they are', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const lent = agent.lend();
  const { createConnection } = lent;
  let dials = 0;
  const counted: typeof createConnection = function (this: PoolingAgent, ...args) {
    dials++;
    return createConnection.apply(this, args);
  };
  lent.createConnection = counted;
  assert.equal(agent.createConnection, counted);
  assert.equal(lent.createConnection, counted);
  await get(server, { agent });
  assert.equal(dials, 1);
});

describe('Client libraries with a lent agent', () => {
  const warm = async (server: TestServer, agent: PoolingAgent): Promise<void> => {
    await get(server, { agent });
    await untilIdle(agent);
  };

  it('@smithy/node-http-handler, whose destroy() destroys its agent', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await warm(server, agent);
    const handler = new NodeHttpHandler({ [AGENT]: agent.lend() });
    const request = {
      method: 'GET',
      protocol: PROTOCOL,
      hostname: 'localhost',
      port: server.port,
      path: '/aws',
      query: {},
      headers: {},
    };
    const { response } = await handler.handle({ ...request, clone: () => request as never } as never);
    response.body.resume();
    await untilIdle(agent);
    handler.destroy();
    assert.equal(idleCount(agent), 1);
    assert.equal(server.connections(), 1);
    assert.equal((await get(server, { agent })).req.reusedSocket, true);
  });

  it('axios', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    await warm(server, agent);
    const lent = agent.lend();
    const { data } = await axios.get<string>(`${server.url}/axios`, { [AGENT]: lent, proxy: false });
    assert.equal(data, '/axios');
    lent.destroy();
    await untilIdle(agent);
    assert.equal(server.connections(), 1);
  });

  it('Node’s request() with the options of the agent and with its own', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t);
    const answers = await Promise.all([
      get(server, { agent: agent.lend(), path: '/a' }),
      get(server, { agent, path: '/b' }),
      get(server, { agent: agent.lend(), path: '/c' }),
    ]);
    assert.deepEqual(
      answers.map(({ body }) => body),
      ['/a', '/b', '/c'],
    );
    assert.equal(Object.keys(agent.freeSockets).length, 1, 'one identity');
  });
});
