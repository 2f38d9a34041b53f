/**
 * The relay's process: a network with a round trip time between a client and the server.
 *
 * It models latency only: every chunk, and the end of a connection, arrives half a round trip after it was sent,
 * in each direction, in order. The loopback completes TCP's handshake at once; to make up for it, what the
 * client sends is held back for the one round trip that SYN and SYN-ACK would have taken. So the first answer to
 * a ClientHello comes two round trips after `connect()`, as over a real network; only the client's 'connect'
 * event comes too early, and nothing that is measured here waits for it. There is no limit of bandwidth, no loss
 * and no congestion window. Timers make every hop up to a millisecond or so slower, for all clients alike.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { answer } from './ipc.js';

export interface RelayRequest {
  readonly port: number;
  /** Milliseconds. */
  readonly roundTrip: number;
}

/** Carries out actions `delay` milliseconds after they are given to it, in order, none before `opensAt + delay`. */
class DelayLine {
  readonly #delay: number;
  readonly #opensAt: number;
  readonly #due: { readonly at: number; readonly action: () => void }[] = [];
  #running = false;

  constructor(delay: number, opensAt: number) {
    this.#delay = delay;
    this.#opensAt = opensAt;
  }

  push(action: () => void): void {
    this.#due.push({ at: Math.max(performance.now(), this.#opensAt) + this.#delay, action });
    if (!this.#running) this.#run();
  }

  #run = (): void => {
    const now = performance.now();
    for (let next = this.#due[0]; next && next.at <= now; next = this.#due[0]) {
      this.#due.shift();
      next.action();
    }
    const [next] = this.#due;
    this.#running = next !== undefined;
    if (next) setTimeout(this.#run, next.at - now);
  };
}

function forward(from: Socket, to: Socket, line: DelayLine): void {
  from.on('data', (chunk: Buffer) => line.push(() => to.write(chunk)));
  from.on('end', () => line.push(() => to.end()));
  from.on('close', () => line.push(() => to.destroy()));
  from.on('error', () => {});
}

function relay(client: Socket, { port, roundTrip }: RelayRequest): void {
  const now = performance.now();
  const server = connect({ port, host: '127.0.0.1', noDelay: true });
  forward(client, server, new DelayLine(roundTrip / 2, now + roundTrip));
  forward(server, client, new DelayLine(roundTrip / 2, now));
}

answer({
  async listen(request: RelayRequest): Promise<number> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => relay(client, request));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve);
    });
    return (server.address() as AddressInfo).port;
  },
});
