/**
 * Two copies of the package in one process, and what users hand from one to the other: session caches, sockets, errors, agents. It imports nothing but Node's
 * modules, so that it runs over two copies of what was built for the tests, and over the two builds as they are published (scripts/check-loads.mjs
 * copies it there).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { Agent, RequestOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type * as Package from '../../src/index.js';

export type Copy = typeof Package;

export interface Material {
  readonly key: string;
  readonly cert: string;
}

/** A server, and what is to be closed in the end. */
export class Scene {
  readonly ca: string;
  resumed = 0;
  readonly #server;
  readonly #sockets = new Set<Socket>();
  readonly #agents: Agent[] = [];

  constructor({ key, cert }: Material) {
    this.ca = cert;
    this.#server = createServer({ key, cert }, (req, res) => {
      if (req.url !== '/hang') res.end(req.url);
    });
    this.#server.on('connection', (socket: Socket) => this.#sockets.add(socket));
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', () => {});
      if (socket.isSessionReused()) this.resumed++;
    });
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  agent({ PoolingAgent }: Copy, options?: Package.PoolingAgentOptions): Package.PoolingAgent {
    const agent = new PoolingAgent(options);
    this.#agents.push(agent);
    return agent;
  }

  /** Ends when the answer has, with the socket that it came on. */
  get(agent: Agent, options: RequestOptions = {}): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const req = request(
        { host: 'localhost', port: this.port, ca: this.ca, agent, ...options },
        (res) => void res.resume().on('end', () => resolve(req.socket as TLSSocket)),
      );
      req.on('error', reject).end();
    });
  }

  /** The next request of the agent opens a connection. */
  async afresh(agent: Package.PoolingAgent): Promise<void> {
    agent.destroy();
    while (agent.totalSocketCount > 0) await turn();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** Until the socket is back in the pool, after the end of a response. */
async function untilIdle(agent: Agent): Promise<void> {
  while (Object.keys(agent.freeSockets).length === 0) await turn();
}

type Case = (a: Copy, b: Copy, scene: Scene) => Promise<void>;

/** Each is to run with either copy as the first. */
export const CASES: Readonly<Record<string, Case>> = {
  async 'agents of both use one session cache'(a, b, scene) {
    const sessionCache = new a.SessionCache({ maxCachedSessions: 5 });
    const [one, other] = [scene.agent(a, { sessionCache }), scene.agent(b, { sessionCache })];
    await scene.get(one);
    await scene.get(other);
    assert.equal(scene.resumed, 1, 'the one has stored, the other has taken');
    await scene.afresh(one);
    await scene.get(one);
    assert.equal(scene.resumed, 2, 'and the other way round');
    assert.equal(sessionCache.stats.resumed, 2);
    assert.equal(other.maxCachedSessions, 5);
    other.maxCachedSessions = 0;
    assert.equal(sessionCache.size, 0);
    assert.throws(() => new b.PoolingAgent({ sessionCache, ticketReuse: 'never' }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  },

  async 'new TLS options of one agent take none of the sessions of the other'(a, b, scene) {
    const sessionCache = new a.SessionCache();
    const [one, other] = [scene.agent(a, { sessionCache }), scene.agent(b, { sessionCache })];
    await scene.get(one);
    other.updateTls({});
    assert.equal(sessionCache.size, 1);
    await scene.get(other);
    assert.equal(scene.resumed, 1);
    sessionCache.clear();
    await scene.afresh(other);
    await scene.get(other);
    assert.equal(sessionCache.size, 1);
    other.updateTls({});
    assert.equal(sessionCache.size, 0, 'its own');
  },

  async 'a function is the same to both, and another one is another'(a, b, scene) {
    const sessionCache = new a.SessionCache();
    const checks = [0, 1].map(() => () => undefined);
    for (const [checkServerIdentity, isSame] of [
      [checks[0], false],
      [checks[1], false],
      [checks[0], true],
    ] as const) {
      for (const [copy, resumes] of [
        [a, isSame],
        [b, true],
      ] as const) {
        const before = scene.resumed;
        await scene.get(scene.agent(copy, { sessionCache, checkServerIdentity }));
        assert.equal(scene.resumed > before, resumes);
      }
    }
  },

  async 'a cache that is not understood is refused, and a copy of one is none'(a, b) {
    const later: object = { [Symbol.for('pooling-https-agent.SessionCache')]: 2 };
    const sessionCache = later as Package.SessionCache;
    assert.throws(() => new b.PoolingAgent({ sessionCache }), { code: 'ERR_POOL_INCOMPATIBLE' });
    const cache = new a.SessionCache({ maxCachedSessions: 7 });
    const copied = Object.create(a.SessionCache.prototype, Object.getOwnPropertyDescriptors(cache));
    const agent = new b.PoolingAgent({ sessionCache: copied as Package.SessionCache });
    assert.equal(agent.maxCachedSessions, 100);
  },

  async 'a socket in the pool of one agent is left alone by the other'(a, b, scene) {
    const [one, other] = [scene.agent(a), scene.agent(b)];
    const options = { host: 'localhost', port: scene.port, ca: scene.ca };
    const socket = await scene.get(one);
    await untilIdle(one);
    other.emit('free', socket, options);
    assert.equal(other.totalSocketCount, 0);
    assert.equal(await scene.get(one), socket, 'idle');
    const req = request({ ...options, agent: one, path: '/hang' }).on('error', () => {});
    req.end();
    await once(req, 'socket');
    assert.equal(req.socket, socket);
    other.emit('free', socket, options);
    assert.equal(other.totalSocketCount, 0);
    assert.equal(socket.destroyed, false, 'in use');
    req.destroy();
  },

  async 'a socket that one agent has let go of serves the other'(a, b, scene) {
    const [one, other] = [scene.agent(a), scene.agent(b)];
    const socket = await scene.get(one);
    await untilIdle(one);
    socket.emit('agentRemove');
    assert.equal(one.totalSocketCount, 0);
    other.emit('free', socket, { host: 'localhost', port: scene.port, ca: scene.ca });
    assert.equal(other.totalSocketCount, 1);
    assert.equal(await scene.get(other), socket);
  },

  async 'createConnection may not return a socket of the pool of the other'(a, b, scene) {
    const [one, other] = [scene.agent(a), scene.agent(b)];
    const socket = await scene.get(one);
    await untilIdle(one);
    other.createConnection = () => socket;
    await assert.rejects(scene.get(other), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.equal(other.totalSocketCount, 0);
    assert.equal(await scene.get(one), socket);
  },

  async 'one socket below carries one TLS connection'(a, b, scene) {
    const below = connect({ host: 'localhost', port: scene.port, ca: scene.ca, servername: 'localhost' });
    below.on('error', () => {});
    const options = { socket: below } as RequestOptions;
    const first = scene.get(scene.agent(a), options).catch(() => {});
    await assert.rejects(scene.get(scene.agent(b), options), { code: 'ERR_INVALID_ARG_VALUE' });
    below.destroy();
    await first;
  },

  async 'a request that waits in one agent may be passed on to the other'(a, b, scene) {
    const other = scene.agent(b, { maxSockets: 1 });
    const hanging = request({
      host: 'localhost',
      port: scene.port,
      ca: scene.ca,
      agent: other,
      path: '/hang',
    });
    hanging.on('error', () => {}).end();
    class Passing extends a.PoolingAgent {
      override createSocket(...[req, options]: Parameters<Package.PoolingAgent['createSocket']>): void {
        other.addRequest(req, options);
      }
    }
    const passing = new Passing({ maxSockets: 1 });
    const error = new Error('given up');
    const req = request({ host: 'localhost', port: scene.port, ca: scene.ca, agent: passing });
    const heard: unknown[] = [];
    req.on('error', (reason) => heard.push(reason)).end();
    await turn();
    await turn();
    req.destroy(error);
    await new Promise((resolve) => void req.once('close', resolve));
    assert.ok(!Object.hasOwn(req, 'setTimeout') && !Object.hasOwn(req, 'destroy'), 'nothing stays on it');
    hanging.destroy();
    passing.destroy();
    await turn();
    assert.deepEqual(heard, [error], 'it ends once');
    assert.deepEqual(Object.keys(other.requests), []);
  },

  async 'errors, caches and agents of the one are instances to the other'(a, b, scene) {
    const agent = scene.agent(a, { maxSockets: 1, maxQueueSize: 0 });
    const hanging = scene.get(agent, { path: '/hang' }).catch(() => {});
    await assert.rejects(scene.get(agent), (error) => {
      assert.ok(error instanceof a.PoolQueueError && error instanceof b.PoolQueueError);
      assert.equal(error.code, 'ERR_POOL_QUEUE_FULL');
      class Sub extends b.PoolQueueError {}
      assert.ok(!(error instanceof Sub), 'a subclass is there but once');
      return true;
    });
    assert.ok(!(new Error('another') instanceof b.PoolQueueError));
    assert.ok(agent instanceof b.PoolingAgent);
    assert.ok(!((null as unknown) instanceof b.PoolingAgent) && !({} instanceof b.PoolingAgent));
    assert.ok(new a.SessionCache() instanceof b.SessionCache);
    class Sub extends b.PoolingAgent {}
    assert.ok(!(agent instanceof Sub) && new Sub() instanceof a.PoolingAgent);
    agent.destroy();
    await hanging;
  },

  async 'what is told once per process is told by one of them'(a, b, scene) {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', onWarning);
    const name = `max_sockets${'_'.repeat(told++)}`;
    for (const copy of [a, b, a]) scene.agent(copy, { [name]: 1 } as object);
    await turn();
    process.off('warning', onWarning);
    assert.equal(warnings.filter((warning) => warning.includes(`"${name}"`)).length, 1, warnings.join('\n'));
    assert.equal(process.listenerCount('uncaughtExceptionMonitor'), 1);
  },
};

/** Names that were used up. */
let told = 0;
