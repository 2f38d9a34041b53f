/**
 * nock patches node:http and node:https for the whole process: hence a file, and so a process, of its own. It gives
 * each request an agent of its own, that takes connections straight from our `createConnection`: while it is active,
 * the pool sees nothing, and must neither get in its way nor lose count.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Agent } from 'node:https';
import axios from 'axios';
import type { AxiosRequestConfig } from 'axios';
import nock from 'nock';
import { activeCount, idleCount, poolingAgent, waitingCount } from '../support/agent.js';
import { httpsServer } from '../support/server.js';
import type { Reply } from './client.js';
import { failsAsOverCore, holdingServer, LIMIT, quiet } from './support.js';
import { until } from '../support/until.js';

async function get(url: string, agent: Agent, config?: AxiosRequestConfig): Promise<Reply> {
  const { status, data } = await axios.get<string>(url, { httpsAgent: agent, proxy: false, ...config });
  return { status, body: data };
}

describe('nock', () => {
  beforeEach(() => {
    if (!nock.isActive()) nock.activate();
    nock.enableNetConnect();
  });
  afterEach(() => {
    nock.cleanAll();
    nock.restore();
  });

  it('answers what is mocked, and no idle connection is used', LIMIT, async (t) => {
    nock.restore();
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    await get(`${server.url}/real`, agent);
    await quiet(agent);
    assert.equal(idleCount(agent), 1);

    nock.activate();
    nock(server.url).get('/mocked').times(3).reply(200, 'mocked');
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await get(`${server.url}/mocked`, agent), { status: 200, body: 'mocked' });
    }
    assert.equal(server.requests(), 1);
    assert.deepEqual([agent.totalSocketCount, idleCount(agent), waitingCount(agent)], [1, 1, 0]);
  });

  it("lets requests pass, each over a connection that is not the pool's", LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const paths = ['/one', '/two', '/three'];
    const replies = await Promise.all(paths.map((path) => get(server.url + path, agent)));
    assert.deepEqual(
      replies,
      paths.map((body) => ({ status: 200, body })),
    );
    assert.equal(server.requests(), 3);
    assert.equal(server.connections(), 3);
    assert.equal(agent.totalSocketCount, 0);
  });

  it('lets pass what is not mocked, where it may (allowUnmocked)', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    nock.disableNetConnect();
    nock(server.url, { allowUnmocked: true }).get('/mocked').reply(200, 'mocked');
    assert.deepEqual(await get(`${server.url}/real`, agent), { status: 200, body: '/real' });
    assert.deepEqual(await get(`${server.url}/mocked`, agent), { status: 200, body: 'mocked' });
    assert.equal(server.requests(), 1);
    assert.equal(agent.totalSocketCount, 0);
  });

  it('follows a mocked redirect to a real server', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    nock('https://mocked.example')
      .get('/')
      .reply(302, undefined, { location: `${server.url}/real` });
    const reply = await get('https://mocked.example/', agent);
    assert.deepEqual(reply, { status: 200, body: '/real' });
  });

  it('aborts', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const scope = nock(server.url, { allowUnmocked: true }).get('/mocked').delay(60_000).reply(200);
    const begun = { '/mocked': () => scope.isDone(), '/hold': () => server.held.length === 1 };
    for (const [path, hasBegun] of Object.entries(begun)) {
      const controller = new AbortController();
      const reply = get(server.url + path, agent, { signal: controller.signal });
      await until(hasBegun);
      controller.abort();
      await assert.rejects(reply, { code: 'ERR_CANCELED' });
    }
    nock.abortPendingRequests();
    await until(() => server.open() === 0);
    assert.equal(agent.totalSocketCount, 0);
  });

  it('times out', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    nock(server.url, { allowUnmocked: true }).get('/mocked').delayConnection(60_000).reply(200);
    await assert.rejects(get(`${server.url}/mocked`, agent, { timeout: 100 }), { code: 'ECONNABORTED' });
    // More than a handshake takes on a busy machine: below nock, a connection that is given up in its handshake ends the process, with any agent.
    await assert.rejects(get(`${server.url}/hold`, agent, { timeout: 2000 }), { code: 'ECONNABORTED' });
    assert.equal(server.held.length, 1);
    nock.abortPendingRequests();
    await until(() => server.open() === 0);
    assert.equal(agent.totalSocketCount, 0);
  });

  it('fails as over a core agent', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const options = { ca: server.ca };
    const code = async (path: string): Promise<unknown> =>
      (await failsAsOverCore(t, options, (agent) => get(server.url + path, agent))).code;

    const error = Object.assign(new Error('mocked'), { code: 'ECONNRESET' });
    nock(server.url, { allowUnmocked: true }).get('/mocked').times(2).replyWithError(error);
    assert.equal(await code('/mocked'), 'ECONNRESET');
    await server.close();
    assert.equal(await code('/real'), 'ECONNREFUSED');
    nock.cleanAll();
    nock.disableNetConnect();
    assert.equal(await code('/refused'), 'ENETUNREACH');
  });

  it('leaves requests alone that were begun before', LIMIT, async (t) => {
    nock.restore();
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const active = get(`${server.url}/hold`, agent);
    await until(() => server.held.length === 1);
    const waiting = get(`${server.url}/next`, agent);
    await until(() => waitingCount(agent) === 1);

    nock.activate();
    nock(server.url).get('/next').reply(200, 'mocked');
    assert.deepEqual(await get(`${server.url}/next`, agent), { status: 200, body: 'mocked' });
    assert.deepEqual([activeCount(agent), waitingCount(agent)], [1, 1]);
    server.held[0]?.end('held');
    assert.deepEqual(await active, { status: 200, body: 'held' });
    assert.deepEqual(await waiting, { status: 200, body: '/next' });
    assert.equal(server.connections(), 1);
  });

  it('gives the pool back after restore()', LIMIT, async (t) => {
    nock.restore();
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    await get(`${server.url}/before`, agent);
    nock.activate();
    nock(server.url).get('/meanwhile').reply(200, 'mocked');
    await get(`${server.url}/meanwhile`, agent);
    nock.restore();

    const paths = Array.from({ length: 10 }, (_, i) => `/${i}`);
    const replies = await Promise.all(paths.map((path) => get(server.url + path, agent)));
    assert.deepEqual(
      replies,
      paths.map((body) => ({ status: 200, body })),
    );
    assert.equal(server.requests(), 11);
    assert.equal(server.connections(), 1);
  });
});
