/**
 * The pool's work while a test tool fakes timers and clocks, and after that: to answer requests over real sockets, in turn and in
 * bursts, and close what has been idle for too long in real time. It runs below every tool, and in their sandboxes (scripts/check-fake-timers.mjs copies
 * it there), so that it imports nothing but Node's modules, and waits for nothing but events of sockets.
 */
import { once } from 'node:events';
import { createServer, request } from 'node:https';
import type { Agent, Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type * as Package from '../../src/index.js';

export interface Material {
  readonly key: string;
  readonly cert: string;
}

export interface Scenario {
  /** @returns what came of it; all is well if that is `ALL_IS_WELL` */
  run(pooling: Pooling): Promise<string>;
  close(): void;
}

/** Long enough for requests in turn on a busy machine. */
const IDLE_TIMEOUT = 300;

const KINDS: readonly Package.PoolingAgentOptions[] = [
  {},
  { maxSockets: 1 },
  { maxSockets: 3 },
  { maxTotalSockets: 2 },
  { binding: 'late' },
];
const BURST = 8;
const IN_TURN = 4;

export const ALL_IS_WELL: string = KINDS.map(() => `${BURST} at once, ${IN_TURN} in turn, idle closed`).join(
  '; ',
);

type Pooling = Pick<typeof Package, 'PoolingAgent'>;

/** A server, and the agent that uses it: the same one each time, as one that was used while timers were fake is to work afterwards, too. */
class Pair {
  readonly #server: Server;
  readonly #options: Package.PoolingAgentOptions;
  #agent: Package.PoolingAgent | undefined;
  #open = 0;

  constructor({ key, cert }: Material, options: Package.PoolingAgentOptions) {
    this.#options = { ca: cert, idleTimeout: IDLE_TIMEOUT, ...options };
    this.#server = createServer({ key, cert, keepAliveTimeout: 0 }, (req, res) => {
      req.resume().on('end', () => res.end('ok'));
    });
    this.#server.on('secureConnection', (socket: Socket) => {
      this.#open++;
      socket.on('error', () => {});
      socket.on('close', () => --this.#open === 0 && this.#server.emit('all closed'));
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async run({ PoolingAgent }: Pooling): Promise<string> {
    const agent = (this.#agent ??= new PoolingAgent(this.#options));
    const atOnce = await Promise.all(Array.from({ length: BURST }, (_, i) => this.#request(agent, i)));
    const inTurn: string[] = [];
    for (let i = 0; i < IN_TURN; i++) inTurn.push(await this.#request(agent, i));
    if (this.#open > 0) await once(this.#server, 'all closed');
    return `${summary(atOnce)} at once, ${summary(inTurn)} in turn, idle closed`;
  }

  close(): void {
    this.#agent?.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Resolves to the body, or to what went wrong. */
  #request(agent: Agent, i: number): Promise<string> {
    const { port } = this.#server.address() as AddressInfo;
    return new Promise((resolve) => {
      const method = i % 2 === 0 ? 'GET' : 'POST';
      const req = request({ host: '127.0.0.1', port, agent, method }, (res) => {
        let body = '';
        res.on('data', (chunk: Buffer) => (body += String(chunk)));
        res.on('end', () => resolve(body));
      });
      req.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      req.end(method === 'POST' ? 'text' : undefined);
    });
  }
}

export async function startScenario(material: Material): Promise<Scenario> {
  const pairs = KINDS.map((options) => new Pair(material, options));
  await Promise.all(pairs.map((pair) => pair.listen()));
  return {
    run: async (pooling) => (await Promise.all(pairs.map((pair) => pair.run(pooling)))).join('; '),
    close() {
      for (const pair of pairs) pair.close();
    },
  };
}

/** @returns how many requests were answered, and how the others ended */
function summary(outcomes: readonly string[]): string {
  const others = outcomes.filter((outcome) => outcome !== 'ok');
  return [outcomes.length - others.length, ...others].join(' ');
}
