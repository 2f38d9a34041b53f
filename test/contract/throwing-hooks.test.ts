/** Methods of a subclass that throw: the exception is seen by who should see it, and costs one connection at most. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { collectUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';
import { LIMIT, send, untilIdle } from './support.js';

describe('reuseSocket that throws', () => {
  for (const replay of [true, false]) {
    it(`ends its request, and is no loss of the connection (replay: ${replay})`, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, replay });
      await get(server, { agent });
      const socket = await untilIdle(agent);
      const expected = new Error('thrown');
      agent.reuseSocket = () => {
        throw expected;
      };
      // Node's agent lets it out of `https.request`.
      let sent: ReturnType<typeof send> | undefined;
      try {
        sent = send(server, { agent, path: '/first' });
      } catch (error) {
        assert.equal(error, expected);
      }
      const next = get(server, { agent, path: '/next' });
      if (sent) {
        await sent.closed;
        assert.deepEqual(sent.events, ['error', 'close']);
      }
      // On a connection of its own, which is not reused.
      assert.equal((await next).body, '/next');
      assert.ok(socket.destroyed);
      assert.equal(server.connections(), 2);
      assert.equal(server.requests(), 2, 'what failed was not sent');
      assert.equal(agent.totalSocketCount, 1);
    });
  }
});

describe('keepSocketAlive that throws', () => {
  it('is an uncaught exception, and the connection is not kept', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const error = new Error('thrown');
    let calls = 0;
    agent.keepSocketAlive = () => {
      calls++;
      throw error;
    };
    const caught = collectUncaught(t);
    const bodies = await Promise.all(
      ['/1', '/2', '/3'].map(async (path) => (await get(server, { agent, path })).body),
    );
    assert.deepEqual(bodies, ['/1', '/2', '/3'], 'those who wait are served all the same');
    await until(() => agent.totalSocketCount === 0);
    await until(() => caught.length === calls && server.open() === 0);
    assert.ok(calls > 0);
    assert.deepEqual(new Set(caught), new Set([error]));

    Reflect.deleteProperty(agent, 'keepSocketAlive');
    await get(server, { agent });
    await untilIdle(agent);
  });

  it('of one connection leaves the others idle', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const { keepSocketAlive } = agent;
    let calls = 0;
    agent.keepSocketAlive = function keep(socket) {
      if (++calls === 2) throw new Error('thrown');
      return keepSocketAlive.call(this, socket);
    };
    const caught = collectUncaught(t);
    await Promise.all([1, 2, 3].map(() => get(server, { agent })));
    await until(() => calls === 3 && caught.length === 1);
    await untilIdle(agent, 2);
    assert.equal(agent.totalSocketCount, 2);
  });
});
