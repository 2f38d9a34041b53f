/**
 * Errors of a TLS socket after its handshake, which Node says without destroying it: a record that cannot be decrypted, put in by a relay.
 * No connection is used after one, and every request ends with an answer or an error.
 */
import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { poolingAgent, poolOf } from '../support/agent.js';
import { byEffort } from '../support/effort.js';
import { request } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { untilIdle } from '../contract/support.js';
import { LIMIT } from './support.js';

/** Application data with a wrong tag. */
const BAD_RECORD = Buffer.from([0x17, 3, 3, 0, 32, ...Array.from({ length: 32 }, (_, i) => i)]);

interface Relay {
  readonly port: number;
  readonly ca: string;
  /** The client's side of each connection. */
  readonly legs: Socket[];
}

/** Carries bytes to an HTTPS server and back; `GET /never` is not answered. */
async function relayed(t: TestContext): Promise<Relay> {
  const server = await httpsServer(t, (req, res) => void (req.url === '/never' || res.end(req.url)));
  const legs: Socket[] = [];
  const relay = createServer({ allowHalfOpen: true }, (leg) => {
    legs.push(leg);
    const out = connect({ port: server.port, host: '127.0.0.1' });
    leg.on('data', (data) => out.write(data));
    out.on('data', (data) => void (leg.writable && leg.write(data)));
    for (const socket of [leg, out]) socket.on('error', () => {});
    leg.on('close', () => out.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    relay.close();
    for (const leg of legs) leg.destroy();
  });
  return { port: (relay.address() as AddressInfo).port, ca: server.ca, legs };
}

for (const method of ['GET', 'POST']) {
  test(`an idle connection that fails closes, and a ${method} gets another one`, LIMIT, async (t) => {
    const relay = await relayed(t);
    const agent = poolingAgent(t, { ca: relay.ca, maxSockets: 1 });
    await get(relay, { agent });
    await untilIdle(agent);
    const [connection] = poolOf(agent).idle;
    relay.legs[0]?.write(BAD_RECORD);
    await until(() => agent.totalSocketCount === 0);
    assert.equal(connection?.closeReason, 'server-closed');
    assert.equal((await get(relay, { agent, method, path: '/a' })).body, '/a');
    assert.equal(relay.legs.length, 2);
  });
}

test('an idle connection that says an error and stays open closes at once', LIMIT, async (t) => {
  const relay = await relayed(t);
  const agent = poolingAgent(t, { ca: relay.ca });
  await get(relay, { agent });
  const socket = await untilIdle(agent);
  socket.emit('error', new Error('made up'));
  assert.equal(socket.destroyed, true);
  await until(() => agent.totalSocketCount === 0);
});

test('a connection in use that says an error and stays open ends its request with it', LIMIT, async (t) => {
  const relay = await relayed(t);
  const agent = poolingAgent(t, { ca: relay.ca });
  const made = new Error('made up');
  // Before and after Node's client has put its listeners on the socket.
  for (const isTaken of [false, true]) {
    const req = request({ host: 'localhost', port: relay.port, agent, path: '/never' });
    const errors: Error[] = [];
    req.on('error', (error) => errors.push(error));
    const closed = new Promise((resolve) => req.on('close', resolve));
    req.end();
    await until(() => Object.keys(agent.sockets).length > 0);
    if (isTaken) await until(() => req.socket?.connecting === false);
    const [socket] = Object.values(agent.sockets).flat();
    socket?.emit('error', made);
    await closed;
    assert.deepEqual(errors, [made]);
    await until(() => agent.totalSocketCount === 0);
  }
});

test('so does one that has served before, and whose request is not sent yet', LIMIT, async (t) => {
  const relay = await relayed(t);
  const agent = poolingAgent(t, { ca: relay.ca, validateAfterIdle: Infinity });
  await get(relay, { agent });
  const socket = await untilIdle(agent);
  const answer = get(relay, { agent, method: 'POST', path: '/a' }, 'body');
  socket.emit('error', new Error('made up'));
  await assert.rejects(answer, { message: 'made up' });
  assert.equal(socket.destroyed, true);
});

test(
  'where such an error meets an end of file, a request ends with an answer or an error',
  LIMIT,
  async (t) => {
    const relay = await relayed(t);
    const agent = poolingAgent(t, { ca: relay.ca, maxSockets: 1 });
    const outcomes = new Set<string>();
    // All combinations of moments come at least once in 60.
    for (let i = 0; i < byEffort(300); i++) {
      await get(relay, { agent });
      const leg = relay.legs.at(-1);
      if (i % 3 === 1) await setImmediate();
      if (i % 3 === 2) await setTimeout(1);
      const fail = (): void => {
        leg?.write(BAD_RECORD);
        leg?.end();
      };
      const send = (): Promise<string> =>
        new Promise((resolve) => {
          const path = i % 5 === 4 ? '/never' : '/a';
          const method = i % 2 ? 'POST' : 'GET';
          const events: string[] = [];
          const req = request({ host: 'localhost', port: relay.port, agent, path, method }, (res) => {
            events.push('response');
            res.on('error', () => {}).resume();
          });
          req.on('error', () => events.push('error'));
          req.on('close', () => resolve(events.join()));
          req.end(method === 'POST' ? 'body' : undefined);
          // One that nobody answers ends with the test's patience.
          if (path === '/never') void setTimeout(30).then(() => req.destroy(new Error('enough')));
        });
      if (i % 4 < 2) fail();
      if (i % 4 === 1) await setImmediate();
      const sent = send();
      if (i % 4 === 2) fail();
      if (i % 4 === 3) process.nextTick(fail);
      outcomes.add(await sent);
    }
    for (const outcome of outcomes) assert.match(outcome, /^(response|error)/);
  },
);
