/** Bursts of requests that find connections ready, or do not: of a `minFreeSockets`. */
import { request } from './protocol.js';
import type { Socket } from 'node:net';
import { kPool } from '../../src/agent/pooling-agent.js';
import type { PoolingAgent } from '../../src/agent/pooling-agent.js';
import { pooledSocketOf } from '../../src/connections/pooled-socket.js';

/**
 * Whether `size` requests at once, none of which may be sent twice, find as many connections: so many are free that any request may have, and no request
 * gets one that was begun after it had come. (It may get one that was being opened already: the first that is ready serves.)
 */
export async function findsReady(agent: PoolingAgent, port: number, size: number): Promise<boolean> {
  const [ready, began] = [readyCount(agent), new Set(connections(agent))];
  const sockets = await Promise.all(Array.from({ length: size }, () => post(agent, port)));
  return ready >= size && sockets.every((socket) => began.has(connectionOf(socket)));
}

function connections({ [kPool]: { view } }: PoolingAgent): unknown[] {
  return [...view.hosts].flatMap((host) => [...host.connections]);
}

function readyCount({ [kPool]: { spares, view } }: PoolingAgent): number {
  const now = spares.now();
  return [...view.idle].filter(({ expiresAt, safeUntil }) => Math.min(expiresAt, safeUntil) > now).length;
}

function connectionOf(socket: Socket | null): unknown {
  return socket && pooledSocketOf(socket)?.connection;
}

function post(agent: PoolingAgent, port: number): Promise<Socket | null> {
  return new Promise((resolve, reject) => {
    const req = request({ host: 'localhost', port, agent, method: 'POST' }, (res) => {
      const { socket } = req;
      res.on('end', () => resolve(socket)).on('error', reject);
      res.resume();
    });
    req.on('error', reject);
    req.end('x');
  });
}

/** Milliseconds between two looks at the clock. */
const PERIOD = 10;

/** For how long the event loop was held, in milliseconds, since it was asked for last: at most, and in all but for a few milliseconds each time. */
export class Lag {
  #most = 0;
  #sum = 0;
  #before = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#timer = setInterval(() => this.#look(), PERIOD).unref();
  }

  take(): { most: number; sum: number } {
    this.#look();
    const [most, sum] = [this.#most, this.#sum];
    this.#most = 0;
    this.#sum = 0;
    return { most, sum };
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    const held = now - this.#before;
    this.#most = Math.max(this.#most, held);
    this.#sum += Math.max(0, held - 2 * PERIOD);
    this.#before = now;
  }
}
