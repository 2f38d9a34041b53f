/** The other side: a server, a relay before it, and a server that misbehaves, each in its own process. */
import type { FaultStatistics } from '../test/support/fault-server/plan.js';
import { createCertificate } from './certificate.js';
import { Child } from './ipc.js';
import { SERVERS } from './processors.js';
import type { RelayRequest } from './relay.js';
import type { Counts, ServerPorts } from './server.js';

/** Round trip times that the relay offers, in milliseconds. */
export const ROUND_TRIPS = [20, 100] as const;

/** The facts that a client needs to know; they go to its process as JSON. */
export interface Target extends ServerPorts {
  readonly certificate: string;
  /** The server's port as seen from far away, by round trip time. */
  readonly farPorts: Readonly<Record<number, number>>;
  /** A server that does what a request's headers say (test/support/fault-server). */
  readonly faultPort: number;
  /** A proxy that opens tunnels to the loopback. */
  readonly proxyPort: number;
}

/** The counts of the servers so far. */
interface Traffic extends Counts {
  /** Requests that the misbehaving one received when it had received them before. */
  readonly repeated: number;
}

export class Network {
  readonly target: Target;
  readonly #server: Child;
  readonly #relay: Child;
  readonly #faults: Child;
  readonly #proxy: Child;

  private constructor(target: Target, server: Child, relay: Child, faults: Child, proxy: Child) {
    this.target = target;
    this.#server = server;
    this.#relay = relay;
    this.#faults = faults;
    this.#proxy = proxy;
  }

  static async start(): Promise<Network> {
    const server = new Child('server', { processors: SERVERS });
    const relay = new Child('relay', { processors: SERVERS });
    const faults = new Child('fault-server', { processors: SERVERS });
    const proxy = new Child('proxy', { processors: SERVERS });
    const pair = await createCertificate();
    const ports = await server.call<ServerPorts>('listen', pair);
    const farPorts: Record<number, number> = {};
    for (const roundTrip of ROUND_TRIPS) {
      const request: RelayRequest = { port: ports.port, roundTrip };
      farPorts[roundTrip] = await relay.call<number>('listen', request);
    }
    const faultPort = await faults.call<number>('listen', pair);
    const proxyPort = await proxy.call<number>('listen', undefined);
    const target = { ...ports, certificate: pair.cert, farPorts, faultPort, proxyPort };
    return new Network(target, server, relay, faults, proxy);
  }

  async traffic(): Promise<Traffic> {
    const { connections, resumed } = await this.#server.call<Counts>('counts');
    const faults = await this.#faults.call<FaultStatistics>('statistics');
    return {
      connections: connections + faults.accepted,
      resumed: resumed + faults.resumed,
      repeated: Object.values(faults.repeatedByMethod).reduce((sum, times) => sum + times, 0),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#server.stop(), this.#relay.stop(), this.#faults.stop(), this.#proxy.stop()]);
  }
}
