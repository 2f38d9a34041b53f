import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, Socket } from 'node:net';
import { describe, it } from 'node:test';
import { activeCount, idleCount, poolOf, poolingAgent } from '../../support/agent.js';
import { block } from '../../support/block.js';
import { READY, request, TLS_ONLY } from '../../support/protocol.js';
import { get, httpsServer } from '../../support/server.js';
import { until } from '../../support/until.js';
import { lookupLoopback } from '../../contract/support.js';
import { fullServer, unreadyServer } from '../../support/unready-server.js';

const LIMIT = { timeout: 120_000 };

/** Long enough for a handshake on a busy machine. */
const ROOMY = 500;

const BINDINGS = ['eager', 'late'] as const;

interface Expected {
  readonly phase: string;
  readonly port: number;
  readonly host?: string;
  readonly timeout?: number;
  readonly address?: string;
}

function timesOut(
  promise: Promise<unknown>,
  { phase, port, host = 'localhost', timeout = 50, address }: Expected,
): Promise<void> {
  return assert.rejects(promise, {
    code: 'ETIMEDOUT',
    ...(phase === 'connect' && { syscall: 'connect' }),
    ...(address && { address }),
    phase,
    host,
    port,
    message: `The connection to ${host}:${port} was not ready within ${timeout} ms (waiting for '${phase}')`,
  });
}

for (const binding of BINDINGS) {
  describe(`connectTimeout, ${binding} binding`, () => {
    it('names the lookup', LIMIT, async (t) => {
      const agent = poolingAgent(t, { connectTimeout: 50, binding });
      await timesOut(get({ port: 1, ca: '' }, { agent, lookup: () => {} }), { phase: 'lookup', port: 1 });
      await until(() => agent.totalSocketCount === 0);
    });

    it('names the TCP connect', LIMIT, async (t) => {
      const port = await fullServer(t);
      const agent = poolingAgent(t, { connectTimeout: 50, binding });
      const expected = { phase: 'connect', port, host: '127.0.0.1', address: '127.0.0.1' };
      await timesOut(get({ port, ca: '' }, { agent, host: '127.0.0.1' }), expected);
      const byName = get({ port, ca: '' }, { agent, lookup: lookupLoopback });
      await timesOut(byName, { phase: 'connect', port });
      await until(() => agent.totalSocketCount === 0);
    });

    it('names the TLS handshake', { ...LIMIT, ...TLS_ONLY }, async (t) => {
      const port = await unreadyServer(t);
      const agent = poolingAgent(t, { connectTimeout: ROOMY, binding });
      await timesOut(get({ port, ca: '' }, { agent, lookup: lookupLoopback }), {
        phase: READY,
        port,
        timeout: ROOMY,
      });
      await until(() => agent.totalSocketCount === 0);
    });

    it(
      'ends the wait for a createConnection that never answers, and its slot is free again',
      LIMIT,
      async (t) => {
        const server = await httpsServer(t);
        const agent = poolingAgent(t, { connectTimeout: ROOMY, maxSockets: 1, binding });
        // The slot is free before the first request has heard of its error.
        Reflect.set(agent, 'createConnection', () => void Reflect.deleteProperty(agent, 'createConnection'));
        const first = get(server, { agent });
        const second = get(server, { agent });
        await timesOut(first, {
          phase: 'createConnection',
          port: server.port,
          timeout: ROOMY,
        });
        assert.equal((await second).status, 200);
      },
    );

    it('closes what createConnection brings too late', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { connectTimeout: 50, binding });
      let late: ((error: null, socket: Socket) => void) | undefined;
      Reflect.set(agent, 'createConnection', (_: unknown, callback: typeof late) => void (late = callback));
      await timesOut(get(server, { agent }), { phase: 'createConnection', port: server.port });
      const socket = connect(server.port, '127.0.0.1');
      late?.(null, socket);
      assert.ok(socket.destroyed);
      assert.equal(agent.totalSocketCount, 0);
    });

    it('gives the slot to the request that waits', LIMIT, async (t) => {
      const server = await httpsServer(t);
      const mute = await unreadyServer(t);
      const agent = poolingAgent(t, { connectTimeout: ROOMY, maxTotalSockets: 1, binding });
      const first = get({ port: mute, ca: '' }, { agent });
      const second = get(server, { agent });
      await assert.rejects(first, { phase: READY });
      assert.equal((await second).body, '/');
    });

    it("is nobody's business once the connection is ready", LIMIT, async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t, { connectTimeout: 1000, binding });
      await get(server, { agent });
      await until(() => idleCount(agent) === 1);
      const [socket] = Object.values(agent.freeSockets).flat();
      for (const event of ['lookup', 'secure', 'connect']) {
        const ours = socket?.listeners(event).filter(({ name }) => /onReady|onLookup/.test(name));
        assert.deepEqual(ours, [], event);
      }
    });
  });
}

describe('connectTimeout', () => {
  it('does not fire because the event loop was blocked', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { connectTimeout: 1000 });
    const answer = get(server, { agent });
    await until(() => poolOf(agent).size === 1);
    block(1500);
    assert.equal((await answer).body, '/');
  });

  it('0 sets no timer', LIMIT, async (t) => {
    const port = await unreadyServer(t);
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    for (const connectTimeout of [0, 1000]) {
      // Those of other agents have ended.
      await until(() => timers() === 0);
      const agent = poolingAgent(t, { connectTimeout });
      const answer = get({ port, ca: '' }, { agent });
      await until(() => activeCount(agent) === 1);
      assert.equal(timers(), connectTimeout ? 1 : 0);
      agent.destroy();
      await assert.rejects(answer);
    }
  });

  it(
    'of a TCP connect: idle connections to the same address go; of a handshake: they stay',
    LIMIT,
    async (t) => {
      const server = await httpsServer(t);
      for (const phase of new Set(['connect', READY])) {
        const agent = poolingAgent(t, { ca: server.ca, connectTimeout: ROOMY });
        await get(server, { agent });
        await until(() => poolOf(agent).idle.size === 1);
        const [idle] = poolOf(agent).idle;
        // No address of the loopback swallows a SYN, and no server of ours a ClientHello.
        const silent = phase === 'connect' ? new Socket() : connect(server.port, '127.0.0.1');
        Object.defineProperty(silent, phase === 'connect' ? 'connecting' : 'secureConnecting', {
          value: true,
        });
        Reflect.set(agent, 'createConnection', () => silent);
        const { port, ca } = server;
        const req = request({ port, ca, agent, method: 'POST', localAddress: '127.0.0.1' });
        silent.emit('lookup', null, '127.0.0.1', 4, 'localhost');
        const [error] = (await once(req, 'error')) as [Error];
        assert.equal(Reflect.get(error, 'phase'), phase);
        await until(() => poolOf(agent).size === (phase === 'connect' ? 0 : 1));
        assert.equal(idle?.closeReason, phase === 'connect' ? 'peer-dead' : undefined);
      }
    },
  );

  it('has nothing to do with `timeout`, which only tells', LIMIT, async (t) => {
    const port = await unreadyServer(t);
    const agent = poolingAgent(t, { connectTimeout: 200, timeout: 20 });
    const req = request({ port, agent }).end();
    const events: string[] = [];
    for (const event of ['timeout', 'error', 'close']) req.on(event, () => events.push(event));
    await new Promise((resolve) => req.on('close', resolve));
    assert.deepEqual(events, ['timeout', 'error', 'close']);
  });
});
