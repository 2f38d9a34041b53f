/** The client's own timeouts: in the queue, on a new connection, on a used one. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { poolingAgent, waitingCount } from '../../support/agent.js';
import { httpsServer, rawServer } from '../../support/server.js';
import type { Client } from '../client.js';
import { holdingServer, LIMIT, quiet } from '../support.js';
import { until } from '../../support/until.js';

const TIMEOUT = 100;

export function timeoutCases(client: Client): void {
  const { timedOut, timedOutInQueue } = client.traits;

  it('of a request that is never answered', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    await assert.rejects(client.get(`${server.url}/hold`, { agent, timeout: TIMEOUT }), timedOut);
    assert.deepEqual(await client.get(`${server.url}/next`, { agent }), { status: 200, body: '/next' });
    await quiet(agent);
    assert.equal(agent.totalSocketCount, 1);
  });

  it('of a request on a connection that was used before', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    await client.get(`${server.url}/first`, { agent, timeout: 20_000 });
    await quiet(agent);
    await assert.rejects(client.get(`${server.url}/hold`, { agent, timeout: TIMEOUT }), timedOut);
    assert.equal(server.connections(), 1);
    assert.deepEqual(await client.get(`${server.url}/next`, { agent }), { status: 200, body: '/next' });
    await quiet(agent);
  });

  it('of requests behind one another', LIMIT, async (t) => {
    const server = await rawServer(t, () => {});
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const requests = Array.from({ length: 3 }, () => client.get(server.url, { agent, timeout: TIMEOUT }));
    const results = await Promise.allSettled(requests);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected', 'rejected'],
    );
    await assert.rejects(requests[0] as Promise<unknown>, timedOut);
    await quiet(agent);
  });

  const skip = timedOutInQueue ? false : 'its clock starts with the socket';
  it('of a request that waits', { ...LIMIT, skip }, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const active = client.get(`${server.url}/hold`, { agent });
    await until(() => server.held.length === 1);
    const waiting = client.get(`${server.url}/never`, { agent, timeout: TIMEOUT });
    await assert.rejects(waiting, timedOutInQueue as object);
    assert.equal(waitingCount(agent), 0);
    server.held[0]?.end('held');
    assert.deepEqual(await active, { status: 200, body: 'held' });
    await quiet(agent);
    assert.equal(server.requests(), 1);
  });

  for (const next of ['in the queue', 'not yet there']) {
    it(`of one request is not the timeout of the next, ${next}`, LIMIT, async (t) => {
      // Enough for an answer on a busy machine.
      const slow = TIMEOUT * 10;
      const server = await httpsServer(t, (req, res) => {
        if (req.url === '/slow') setTimeout(() => res.end('slow'), slow);
        else res.end(req.url);
      });
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      await client.get(`${server.url}/first`, { agent });
      await quiet(agent);
      const quick = client.get(`${server.url}/quick`, { agent, timeout: slow - TIMEOUT });
      if (next === 'not yet there') {
        await quick;
        await quiet(agent);
      }
      assert.deepEqual(await client.get(`${server.url}/slow`, { agent }), { status: 200, body: 'slow' });
      assert.deepEqual(await quick, { status: 200, body: '/quick' });
      assert.equal(server.connections(), 1);
    });
  }
}
