/** A connection that was idle for a while is validated before it is leased: what the system knows of it, is seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { poolOf, poolingAgent } from '../support/agent.js';
import { get } from '../support/server.js';
import { untilIdle } from '../contract/support.js';
import { block } from '../support/block.js';
import { pendingRead } from '../../src/node/handle.js';
import { SYSTEM } from '../../src/lifetimes/clock.js';
import { begin, connectionOf, endingServer, LIMIT, POST } from './support.js';
import type { EndingServer } from './support.js';

/** Milliseconds. A host that ends connections as soon as they are idle is given no idle connection again. */
const IDLE = 50;

/** Ends of which the client's system knows at once, and the event loop not before it polls. */
const ENDS: Record<string, (server: EndingServer) => void> = {
  'by FIN': ({ raw }) => void raw.at(-1)?.destroy(),
  'by RST': ({ raw }) => void raw.at(-1)?.resetAndDestroy(),
};

for (const [how, end] of Object.entries(ENDS)) {
  test(`a connection closed ${how} just before the request is not leased`, LIMIT, async (t) => {
    const server = await endingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: 0 });
    for (let i = 0; i < 20; i++) {
      const dead = await get(server, { agent });
      await untilIdle(agent);
      await sleep(IDLE);
      end(server);
      // In the same tick.
      const { req } = await get(server, { agent });
      assert.notEqual(req.socket, dead.req.socket);
      await untilIdle(agent);
    }
  });

  test(`without the look it is, ${how}: what the test above would miss`, LIMIT, async (t) => {
    const server = await endingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: Infinity });
    await get(server, { agent });
    await untilIdle(agent);
    end(server);
    assert.ok(connectionWasLeased(agent, () => get(server, { agent })));
  });
}

/** Whether a request gets the idle connection at once. It is expected to fail, or to be sent again. */
function connectionWasLeased(agent: ReturnType<typeof poolingAgent>, ask: () => Promise<unknown>): boolean {
  const [idle] = poolOf(agent).idle;
  ask().catch(() => {});
  return idle?.state === 'active';
}

test('requests that come meanwhile wait for the answer, and open nothing of their own', LIMIT, async (t) => {
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: 0 });
  for (const count of [1, 3]) {
    await Promise.all(Array.from({ length: count }, () => get(server, { agent })));
    const before = server.connections();
    await untilIdle(agent, before);
    const answers = await Promise.all(
      Array.from({ length: before }, (_, i) => get(server, { agent, path: `/${i}` })),
    );
    for (const [i, { body }] of answers.entries()) assert.equal(body, `/${i}`);
    assert.ok(answers.every(({ req }) => req.reusedSocket));
    assert.equal(server.connections(), before);
  }
});

test('a request that is destroyed meanwhile leaves the connection as old as it was', LIMIT, async (t) => {
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: 0 });
  const connection = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  const { idleSince, expiresAt } = connection;
  const gone = new AbortController();
  const waiting = get(server, { agent, signal: gone.signal });
  assert.equal(connection.state, 'validating');
  gone.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await untilIdle(agent);
  assert.equal(connection.state, 'idle');
  assert.deepEqual([connection.idleSince, connection.expiresAt], [idleSince, expiresAt]);
});

test('where none is validated, they are leased at once', LIMIT, async (t) => {
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: Infinity });
  const connection = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  const answer = get(server, { agent });
  assert.equal(connection.state, 'active');
  await answer;
});

/** As the pool reads it. (A fake `Date` is not the wall clock.) */
function setWallClock(t: TestContext, ahead: number): void {
  t.mock.method(SYSTEM, 'wall', () => Date.now() + ahead);
}

test('after a jump of the wall clock every idle connection is validated', LIMIT, async (t) => {
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: Infinity });
  const dead = await get(server, { agent });
  await untilIdle(agent);
  server.raw.at(-1)?.destroy();
  setWallClock(t, -60_000);
  const { req } = await get(server, { agent });
  assert.notEqual(req.socket, dead.req.socket);
});

test('time in which the machine slept is idle time', LIMIT, async (t) => {
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const connection = connectionOf((await get(server, { agent })).req);
  await untilIdle(agent);
  setWallClock(t, 60_000);
  await get(server, { agent });
  assert.equal(connection.closeReason, 'idle-timeout');
  assert.equal(server.connections(), 2);
});

test('a loop that is always busy is polled a few times, and not waited for any longer', LIMIT, async (t) => {
  t.after(pendingRead.switchOff());
  const server = await endingServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  await get(server, { agent });
  await untilIdle(agent);
  // Longer than what counts as just now.
  block(5);
  // One that can be sent once only: others may have what was polled a moment ago.
  const req = begin(server, { agent, ...POST });
  let turns = 0;
  await new Promise<void>((resolve) => {
    const turn = (): void => {
      if (req.socket || ++turns === 100) {
        resolve();
        return;
      }
      block(5);
      setImmediate(turn);
    };
    setImmediate(turn);
  });
  assert.equal(req.reusedSocket, true);
  assert.ok(turns > 1 && turns < 10, `${turns} turns`);
  req.on('error', () => {}).destroy();
});
