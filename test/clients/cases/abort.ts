/** A request is aborted: it fails as over a core agent, and the pool goes on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { poolingAgent, waitingCount } from '../../support/agent.js';
import { httpsServer } from '../../support/server.js';
import type { Client } from '../client.js';
import { loopback } from '../../support/tagged-client.js';
import { coreAgent, failureOf, holdingServer, LIMIT, quiet } from '../support.js';
import { until } from '../../support/until.js';

export function abortCases(client: Client): void {
  const { aborted } = client.traits;

  it('of a request that has a connection', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const controller = new AbortController();
    const active = client.get(`${server.url}/hold`, { agent, signal: controller.signal });
    await until(() => server.held.length === 1);
    const waiting = client.get(`${server.url}/next`, { agent });
    await until(() => waitingCount(agent) === 1);

    controller.abort();
    await assert.rejects(active, aborted);
    assert.deepEqual(await waiting, { status: 200, body: '/next' });
    assert.deepEqual(await client.get(`${server.url}/last`, { agent }), { status: 200, body: '/last' });
    await quiet(agent);
    assert.equal(server.connections(), 2);
  });

  it('of a request that waits', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const active = client.get(`${server.url}/hold`, { agent });
    await until(() => server.held.length === 1);
    const controller = new AbortController();
    const waiting = client.get(`${server.url}/never`, { agent, signal: controller.signal });
    await until(() => waitingCount(agent) === 1);
    const next = client.get(`${server.url}/next`, { agent });
    await until(() => waitingCount(agent) === 2);

    controller.abort();
    await assert.rejects(waiting, aborted);
    assert.equal(waitingCount(agent), 1);
    server.held[0]?.end('held');
    assert.deepEqual(await active, { status: 200, body: 'held' });
    assert.deepEqual(await next, { status: 200, body: '/next' });
    await quiet(agent);
    assert.equal(server.requests(), 2);
    assert.equal(server.connections(), 1);
  });

  it('of a request whose connection is being opened', LIMIT, async (t) => {
    const server = await httpsServer(t);
    // The first look-up waits until the request is aborted.
    const held: Parameters<typeof loopback>[] = [];
    let isAborted = false;
    const lookup: typeof loopback = (...args) => {
      if (isAborted) loopback(...args);
      else held.push(args);
    };
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, lookup });
    const controller = new AbortController();
    const opening = client.get(`${server.url}/never`, { agent, signal: controller.signal });
    await until(() => held.length === 1);
    controller.abort();
    await assert.rejects(opening, aborted);
    isAborted = true;
    for (const args of held) loopback(...args);
    assert.deepEqual(await client.get(`${server.url}/next`, { agent }), { status: 200, body: '/next' });
    await quiet(agent);
  });

  it('of all at once', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2 });
    const controller = new AbortController();
    const call = { agent, signal: controller.signal };
    const requests = Array.from({ length: 5 }, () => client.get(`${server.url}/hold`, call));
    await until(() => server.held.length === 2 && waitingCount(agent) === 3);
    controller.abort();
    for (const request of requests) await assert.rejects(request, aborted);
    await quiet(agent);
    assert.equal(server.requests(), 2);
    assert.deepEqual(await client.get(`${server.url}/next`, { agent }), { status: 200, body: '/next' });
  });

  it('while the body arrives', LIMIT, async (t) => {
    const server = await httpsServer(t, (req, res) => {
      if (req.url === '/begin') res.write('begin');
      else res.end(req.url);
    });
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const controller = new AbortController();
    const body = await client.open(`${server.url}/begin`, { agent, signal: controller.signal });
    body.on('error', () => {});
    await once(body, 'data');
    const next = client.get(`${server.url}/next`, { agent });
    await until(() => waitingCount(agent) === 1);
    controller.abort();
    assert.deepEqual(await next, { status: 200, body: '/next' });
    await quiet(agent);
  });

  it('looks as over a core agent', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const failures = [];
    for (const agent of [poolingAgent(t, { ca: server.ca }), coreAgent(t, { ca: server.ca })]) {
      const controller = new AbortController();
      const held = server.held.length;
      const active = client.get(`${server.url}/hold`, { agent, signal: controller.signal });
      await until(() => server.held.length > held);
      controller.abort();
      failures.push(await failureOf(active));
    }
    assert.deepEqual(failures[0], failures[1]);
  });
}
