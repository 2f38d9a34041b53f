/**
 * Run by throwing-listeners.test.ts in a process of its own, which survives what is thrown: while the agent goes through several
 * requests or connections, the code of one of their users throws. The others must not notice, and each exception is uncaught once.
 * Prints what went wrong.
 */
import assert from 'node:assert/strict';
import type { RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { parserState } from '../../src/node/parsing.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { idleCount } from '../support/agent.js';
import { isPlain, nodes, PoolingAgent, request } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

const cleanups: (() => unknown)[] = [];
const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
let onHanging: (socket: Socket) => void = () => {};
const server = await httpsServer(context as unknown as TestContext, (req, res) => {
  if (req.url === '/hang') onHanging(req.socket);
  else res.end(req.url);
});

/** Resolves with the server's socket of the next request that it does not answer. */
const unanswered = (): Promise<Socket> => new Promise((resolve) => (onHanging = resolve));

let uncaught: string[] = [];
process.on('uncaughtException', (error) => uncaught.push(error.message));

function agentWith(options: PoolingAgentOptions = {}): PoolingAgent {
  const agent = new PoolingAgent({ ca: server.ca, ...options });
  cleanups.push(() => agent.destroy());
  return agent;
}

/** Resolves with the error's code, 'answered' or 'closed'. */
function send(agent: PoolingAgent, options: RequestOptions = {}, onTimeout?: () => void): Promise<string> {
  return new Promise((resolve) => {
    const req = request({ host: 'localhost', port: server.port, agent, ...options }, (res) => {
      res.resume().on('end', () => resolve('answered'));
    });
    req.on('error', (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    req.on('close', () => resolve('closed'));
    if (onTimeout) req.on('timeout', onTimeout);
    req.end();
  });
}

function fail(message: string): never {
  throw new Error(message);
}

const scenarios: Record<string, () => Promise<void>> = {
  async "a 'timeout' listener: the timeouts and deadlines of others come"() {
    const agent = agentWith({ maxSockets: 1, acquireTimeout: 500 });
    const ends = [send(agent, { path: '/hang' })];
    let heard = 0;
    ends.push(send(agent, { timeout: 40 }, () => fail('timeout')));
    for (let i = 0; i < 3; i++) ends.push(send(agent, { timeout: 40 + i }, () => heard++));
    const all = await Promise.all(ends.slice(1));
    assert.deepEqual(
      all,
      all.map(() => 'ERR_POOL_ACQUIRE_TIMEOUT'),
    );
    assert.equal(heard, 3);
    assert.deepEqual(uncaught, ['timeout']);
  },

  async "a 'leak' listener: others are told of"() {
    const agent = agentWith({ leakDetectionThreshold: 80 });
    const told: string[] = [];
    agent.on('leak', ({ req }) => {
      told.push(req.path);
      fail(req.path);
    });
    for (const path of ['/a', '/b'])
      nodes.get({ host: 'localhost', port: server.port, agent, path }, () => {});
    await until(() => told.length === 2);
    await sleep(1);
    assert.deepEqual(uncaught, told);
  },

  async "a 'saturated' listener: what waits goes on, and 'drained' comes"() {
    const agent = agentWith({ maxSockets: 1 });
    agent.on('saturated', () => fail('saturated'));
    agent.on('drained', () => fail('drained'));
    assert.deepEqual(await Promise.all([send(agent), send(agent), send(agent)]), [
      'answered',
      'answered',
      'answered',
    ]);
    assert.deepEqual(uncaught, ['saturated', 'drained']);
  },

  async 'keepSocketAlive and removeSocket: no slot is lost'() {
    const agent = agentWith({ maxSockets: 2 });
    agent.keepSocketAlive = () => fail('keepSocketAlive');
    agent.removeSocket = () => fail('removeSocket');
    const all = await Promise.all([send(agent), send(agent), send(agent), send(agent)]);
    assert.deepEqual(
      all,
      all.map(() => 'answered'),
    );
    await until(() => agent.totalSocketCount === 0);
    assert.deepEqual([...new Set(uncaught)].toSorted(), ['keepSocketAlive', 'removeSocket']);
  },

  async 'reuseSocket: its request gets the error, and the next one a connection'() {
    const agent = agentWith({ maxSockets: 1 });
    await send(agent);
    agent.reuseSocket = () => fail('reuseSocket');
    assert.deepEqual(await Promise.all([send(agent), send(agent)]), ['reuseSocket', 'answered']);
    assert.deepEqual(uncaught, []);
  },

  async 'a getter in agent.options, whichever time it is read'() {
    for (let at = 1; at <= 12; at++) {
      for (const name of ['ciphers', 'timeout', 'highWaterMark']) {
        const agent = agentWith({ maxSockets: 1 });
        await send(agent);
        let reads = 0;
        Object.defineProperty(agent.options, name, {
          enumerable: true,
          configurable: true,
          get: () => (++reads === at ? fail('getter') : undefined),
        });
        const ask = async (): Promise<string> => {
          try {
            return await send(agent);
          } catch (error) {
            return (error as Error).message;
          }
        };
        for (const end of await Promise.all([ask(), ask(), ask()])) {
          // Node's client reads one of them, too, and leaves its request where it is.
          assert.match(end, /answered|getter|ECONNRESET/);
        }
        Reflect.deleteProperty(agent.options, name);
        assert.equal(await send(agent), 'answered');
        await until(() => agent.totalSocketCount === idleCount(agent));
        agent.destroy();
      }
    }
    assert.ok(uncaught.every((message) => message === 'getter'));
  },

  async 'updateTls: what waits goes on, and where a setter throws, nothing is changed'() {
    const agent = agentWith({ maxSockets: 1, minVersion: 'TLSv1.2' });
    const hanging = send(agent, { path: '/hang' });
    await until(() => Object.keys(agent.sockets).length === 1);
    const held = Object.values(agent.sockets)[0]?.[0];
    let isBroken = false;
    // As callers of addRequest may hand them over.
    const options = {
      __proto__: null,
      host: 'localhost',
      port: server.port,
      path: '/',
      servername: 'localhost',
    };
    Object.defineProperty(options, 'ciphers', {
      enumerable: true,
      get: () => (isBroken ? fail('getter') : undefined),
    });
    const waiting = [send(agent, {}), send(agent, {})];
    const req = request({
      host: 'localhost',
      port: server.port,
      agent: { addRequest() {}, protocol: 'https:' } as never,
    });
    const broken = new Promise((resolve) => req.on('error', resolve).end());
    (agent as unknown as { addRequest(req: object, options: object): void }).addRequest(req, options);
    waiting.push(send(agent, {}));
    isBroken = true;
    agent.updateTls({ ca: server.ca });
    assert.equal(((await broken) as Error).message, 'getter');
    Object.defineProperty(agent.options, 'honorCipherOrder', {
      enumerable: true,
      configurable: true,
      get: () => true,
      set: () => fail('setter'),
    });
    assert.throws(() => agent.updateTls({ minVersion: 'TLSv1.3', honorCipherOrder: true }), /setter/);
    assert.equal(agent.options.minVersion, 'TLSv1.2');
    Reflect.deleteProperty(agent.options, 'honorCipherOrder');
    held?.destroy();
    assert.equal(await hanging, 'ECONNRESET');
    assert.deepEqual(await Promise.all(waiting), ['answered', 'answered', 'answered']);
  },

  async "a 'response' listener, after it has done something to requests that wait"() {
    const acts: Record<
      string,
      (agent: PoolingAgent, waiting: ReturnType<typeof request>, abort: AbortController) => void
    > = {
      destroy: (_agent, waiting) => waiting.destroy(),
      abort: (_agent, _waiting, abort) => abort.abort(),
      'agent.destroy': (agent) => agent.destroy(),
      maxSockets: (agent) => void (agent.maxSockets = 2),
      maxTotalSockets: (agent) => void (agent.maxTotalSockets = 5),
      setHostLimits: (agent) => agent.setHostLimits('localhost', { maxSockets: 3 }),
      ...(!isPlain && { updateTls: (agent: PoolingAgent) => agent.updateTls({}) }),
      setPriority: (agent, waiting) => void agent.setPriority(waiting, 0),
      'socket.destroy': (agent) => Object.values(agent.sockets)[0]?.[0]?.destroy(),
    };
    for (const [name, act] of Object.entries(acts)) {
      for (const binding of ['eager', 'late'] as const) {
        const agent = agentWith({ maxSockets: 1, binding });
        const abort = new AbortController();
        const options = { host: 'localhost', port: server.port, agent };
        let ended = 0;
        nodes
          .get(options, (res) => {
            res.on('error', () => {}).resume();
            act(agent, waiting, abort);
            throw new Error(name);
          })
          .on('error', () => {});
        const waiting = nodes.get({ ...options, signal: abort.signal }, (res) => void res.resume());
        waiting.on('error', () => {}).on('close', () => ended++);
        await until(() => ended === 1);
        agent.destroy();
        await until(() => agent.totalSocketCount === 0);
      }
    }
    assert.deepEqual(
      uncaught,
      Object.keys(acts).flatMap((name) => [name, name]),
    );
  },

  async "a 'data' listener of a socket: the exchange goes on, however far the response has come"() {
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n';
    const parts = [
      [head.slice(0, 25), `${head.slice(25)}ok`],
      [head, 'ok'],
      [`HTTP/1.1 103 Early Hints\r\n\r\n${head.slice(0, 9)}`, `${head.slice(9)}ok`],
      [`HTTP/1.1 103 Early Hints\r\n\r\n`, `${head}ok`],
    ] as const;
    for (const [first, rest] of parts) {
      for (const listen of ['on', 'once'] as const) {
        uncaught = [];
        const agent = agentWith({ maxSockets: 1 });
        const req = nodes.get({ host: 'localhost', port: server.port, agent, path: '/hang' });
        req.on('socket', (socket) => socket[listen]('data', () => fail('data')));
        const ended = new Promise((resolve) => {
          req.on('error', resolve).on('response', (res) => res.resume().on('end', resolve));
        });
        const toClient = await unanswered();
        toClient.write(first);
        await until(() => uncaught.length === 1);
        // Connections are inspected twice, some turns apart.
        for (let i = 0; i < 10; i++) await turn();
        toClient.write(rest);
        assert.equal(await ended, undefined, first);
        await until(() => idleCount(agent) === 1);
      }
    }
  },

  async "a 'data' listener of a socket, where a parser does not tell: the exchange ends, and the next one comes"() {
    const agent = agentWith({ maxSockets: 1 });
    const switchOn = parserState.switchOff();
    const req = nodes.get({ host: 'localhost', port: server.port, agent, path: '/hang' });
    req.on('socket', (socket) => socket.once('data', () => fail('data')));
    const ended = new Promise((resolve) => void req.on('response', (res) => res.on('error', resolve)));
    (await unanswered()).write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n');
    assert.equal(((await ended) as NodeJS.ErrnoException).code, 'ECONNRESET');
    switchOn();
    assert.equal(await send(agent), 'answered');
  },

  async 'several in each turn: nothing that goes on undisturbed is taken for something that was cut short'() {
    for (const binding of ['eager', 'late'] as const) {
      const agent = agentWith({ binding, maxSockets: 2 });
      // Told of each connection that closes, unless it was taken out of the pool before that.
      let removed = 0;
      const { removeSocket } = agent;
      agent.removeSocket = (socket, options) => {
        removed++;
        removeSocket.call(agent, socket, options);
      };
      let isOver = false;
      const storm = (): void => {
        if (isOver) return;
        setImmediate(storm);
        for (let i = 0; i < 5; i++) process.nextTick(fail, 'storm');
      };
      storm();
      const headers = { connection: 'close' };
      const ends = await Promise.all(Array.from({ length: 20 }, () => send(agent, { headers })));
      await until(() => agent.totalSocketCount === 0);
      isOver = true;
      assert.deepEqual([new Set(ends), removed], [new Set(['answered']), 20]);
    }
    await sleep(5);
    assert.deepEqual([...new Set(uncaught)], ['storm']);
  },
};

for (const [name, scenario] of Object.entries(scenarios)) {
  if (isPlain && name.startsWith('updateTls')) continue;
  uncaught = [];
  try {
    await scenario();
  } catch (error) {
    console.log(`${name}: ${String((error as Error).stack)}`);
  }
}
for (const cleanup of cleanups.toReversed()) await cleanup();
