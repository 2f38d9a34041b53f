/** The floor for any client: fixed bytes there, fixed bytes back, over TLS and without HTTP. */
import { connect, createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { lookup } from '../lookup.js';
import { requestTo, RESPONSE } from '../responses.js';
import type { Contender } from './contender.js';
import { Tickets } from './tickets.js';

export const contender: Contender = {
  create({ port, ca, keepAlive, sessions }) {
    const secureContext = createSecureContext({ ca: [...ca] });
    const sockets = new Set<TLSSocket>();
    const idle: PingPong[] = [];
    const tickets = new Tickets();
    const dial = (host: string): PingPong => {
      const session = tickets.take();
      const options = { host, port, servername: host, secureContext, lookup };
      const socket = connect(session ? { ...options, session } : options);
      if (sessions) socket.on('session', (ticket) => tickets.add(ticket));
      if (keepAlive) sockets.add(socket);
      return new PingPong(socket, requestTo(host, port));
    };
    return {
      async get(host) {
        const connection = idle.pop() ?? dial(host);
        await connection.exchange();
        if (keepAlive) idle.push(connection);
        else connection.close();
      },
      close() {
        for (const socket of sockets) socket.destroy();
      },
    };
  },
};

class PingPong {
  readonly #socket: TLSSocket;
  readonly #request: string;
  #missing = 0;
  #resolve: (() => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  constructor(socket: TLSSocket, request: string) {
    this.#socket = socket;
    this.#request = request;
    socket.on('data', (chunk: Buffer) => {
      this.#missing -= chunk.length;
      if (this.#missing === 0) this.#resolve?.();
    });
    socket.on('error', (error) => this.#reject?.(error));
  }

  exchange(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#missing = RESPONSE.length;
      this.#resolve = resolve;
      this.#reject = reject;
      this.#socket.write(this.#request, 'latin1');
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
