/** The other side: a server and a relay before it, each in its own process. */
import { createCertificate } from './certificate.js';
import { Child } from './ipc.js';
import type { RelayRequest } from './relay.js';
import type { Counts, ServerPorts } from './server.js';

/** Round trip times that the relay offers, in milliseconds. */
export const ROUND_TRIPS = [20, 100] as const;

/** What a client needs to know; goes to its process as JSON. */
export interface Target extends ServerPorts {
  readonly certificate: string;
  /** The server's port as seen from far away, by round trip time. */
  readonly farPorts: Readonly<Record<number, number>>;
}

export class Network {
  readonly target: Target;
  readonly #server: Child;
  readonly #relay: Child;

  private constructor(target: Target, server: Child, relay: Child) {
    this.target = target;
    this.#server = server;
    this.#relay = relay;
  }

  static async start(): Promise<Network> {
    const server = new Child('server');
    const relay = new Child('relay');
    const pair = await createCertificate();
    const ports = await server.call<ServerPorts>('listen', pair);
    const farPorts: Record<number, number> = {};
    for (const roundTrip of ROUND_TRIPS) {
      const request: RelayRequest = { port: ports.port, roundTrip };
      farPorts[roundTrip] = await relay.call<number>('listen', request);
    }
    return new Network({ ...ports, certificate: pair.cert, farPorts }, server, relay);
  }

  /** What the server has seen so far. */
  counts(): Promise<Counts> {
    return this.#server.call('counts');
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#relay.stop()]);
  }
}
