/**
 * The floor for an agent: Node's client over a pool that only pops and pushes sockets. It checks nothing, times
 * nothing out and survives no error. Its cost is that of `https.request`; a real pool comes on top.
 */
import type { ClientRequest } from 'node:http';
import { Agent } from 'node:https';
import type { RequestOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { SecureContext, TLSSocket } from 'node:tls';
import { agentClient } from './agent-client.js';
import { agentOptions } from './agent-options.js';
import type { ClientSettings, Contender } from './contender.js';
import { Tickets } from './tickets.js';

type CreateConnection = (options: object) => TLSSocket;

abstract class ZeroPoolAgent extends Agent {
  readonly #sockets = new Set<TLSSocket>();
  readonly #secureContext: SecureContext;
  readonly #settings: ClientSettings;
  readonly #tickets = new Tickets();

  constructor(settings: ClientSettings) {
    super(agentOptions(settings));
    this.#settings = settings;
    // One for all, or opening the connections would take most of the run.
    this.#secureContext = createSecureContext({ ca: [...settings.ca] });
  }

  /** Called by Node's client. */
  abstract addRequest(req: ClientRequest, options: RequestOptions): void;

  override destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  protected dial(options: RequestOptions, onFree: (socket: TLSSocket) => void): TLSSocket {
    // Missing in Node's typings.
    const { createConnection } = this as unknown as { createConnection: CreateConnection };
    const { keepAlive, sessions } = this.#settings;
    const session = this.#tickets.take();
    const socket = createConnection.call(this, {
      ...options,
      ...this.options,
      servername: options.host,
      secureContext: this.#secureContext,
      ...(session && { session }),
    });
    if (sessions) socket.on('session', (ticket) => this.#tickets.add(ticket));
    // If it is not kept, Node's client closes it.
    if (!keepAlive) return socket;
    socket.on('free', () => onFree(socket));
    this.#sockets.add(socket);
    return socket;
  }
}

/** One stack. */
class StackAgent extends ZeroPoolAgent {
  readonly #idle: TLSSocket[] = [];

  addRequest(req: ClientRequest, options: RequestOptions): void {
    req.onSocket(this.#idle.pop() ?? this.dial(options, (socket) => this.#idle.push(socket)));
  }
}

/** A stack for every host. */
class HostsAgent extends ZeroPoolAgent {
  readonly #idle = new Map<string, TLSSocket[]>();

  addRequest(req: ClientRequest, options: RequestOptions): void {
    const host = options.host as string;
    const idle = this.#idle.get(host) ?? [];
    if (idle.length === 0) this.#idle.set(host, idle);
    req.onSocket(idle.pop() ?? this.dial(options, (socket) => idle.push(socket)));
  }
}

/** One stack, a limit of connections, and the simplest queue: an array and an index. */
class QueueAgent extends ZeroPoolAgent {
  readonly #limit: number;
  readonly #idle: TLSSocket[] = [];
  #open = 0;
  #waiting: (ClientRequest | undefined)[] = [];
  #head = 0;

  constructor(settings: ClientSettings) {
    super(settings);
    this.#limit = settings.maxSockets;
  }

  addRequest(req: ClientRequest, options: RequestOptions): void {
    const socket = this.#idle.pop();
    if (socket) {
      req.onSocket(socket);
    } else if (this.#open < this.#limit) {
      this.#open++;
      req.onSocket(this.dial(options, (free) => this.#give(free)));
    } else {
      this.#waiting.push(req);
    }
  }

  #give(socket: TLSSocket): void {
    const req = this.#waiting[this.#head];
    if (!req) {
      this.#idle.push(socket);
      return;
    }
    this.#waiting[this.#head++] = undefined;
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    req.onSocket(socket);
  }
}

export const contender: Contender = {
  create(settings) {
    const ZeroPool = settings.manyHosts
      ? HostsAgent
      : settings.maxSockets < Infinity
        ? QueueAgent
        : StackAgent;
    return agentClient(new ZeroPool(settings), settings);
  },
};
