/**
 * Stands in for a request where a connection is opened before a request asks for it. `createSocket` is called with it, as for all dials, and
 * overridden methods see an object that looks like a request which has not been sent yet.
 */
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import type { Options } from '../../identity/identity.js';
import type { Protocol } from '../../identity/protocol.js';
import { callIfAble } from '../../node/foreign.js';
import type { AgentRequest } from '../../node/types.js';
import type { Connection, HostPool } from '../../pool/records.js';
import { PooledRequest } from '../pooled-socket.js';
import type { AgentKinds } from '../pooled-socket.js';

/** The part of `http.ClientRequest` that is used of a request without a socket. */
class StandIn extends EventEmitter {
  readonly method = 'CONNECT';
  readonly path = '/';
  readonly host: unknown;
  readonly protocol: string;
  readonly destroyed = false;
  readonly aborted = false;
  readonly timeout: number | undefined = undefined;
  readonly #hostHeader: unknown;

  constructor(protocol: string, host: unknown, hostHeader: unknown) {
    super();
    this.protocol = protocol;
    this.host = host;
    this.#hostHeader = hostHeader;
  }

  getHeader(name: string): unknown {
    return name.toLowerCase() === 'host' ? this.#hostHeader : undefined;
  }
}

/** Called once with the outcome of the dial. The pool is in the middle of a change: these must not call back into it at once. */
export interface SpareListener {
  ready(request: SpareRequest, connection: Connection<AgentKinds>): void;
  /** @param reason `undefined`: nothing has failed, but its slot was needed, or TLS options have changed */
  failed(request: SpareRequest, reason: unknown): void;
}

export class SpareRequest extends PooledRequest {
  /** Whether the process lives until the connection is ready. */
  readonly keepsAlive: boolean;
  readonly #listeners = new Set<SpareListener>();

  /** @param protocol the agent's */
  constructor({ name }: Protocol, options: Options, hostHeader: unknown, keepsAlive: boolean) {
    super(new StandIn(name, options['host'], hostHeader) as unknown as AgentRequest, options, undefined);
    this.keepsAlive = keepsAlive;
  }

  override [inspect.custom](): string {
    return 'SpareRequest {}';
  }

  listen(listener: SpareListener): void {
    this.#listeners.add(listener);
  }

  /** @returns whether no listener is left */
  stopListening(listener: SpareListener): boolean {
    this.#listeners.delete(listener);
    return this.#listeners.size === 0;
  }

  ready(connection: Connection<AgentKinds>): void {
    for (const listener of this.#take()) listener.ready(this, connection);
  }

  override fail(reason: unknown): void {
    for (const listener of this.#take()) listener.failed(this, reason);
  }

  #take(): SpareListener[] {
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    return listeners;
  }
}

/** The socket of `connection`, which is being opened, exists. A connection that no request waits for keeps no process alive. */
export function unrefSpare(connection: Connection<AgentKinds>): void {
  const { pooled } = connection;
  if (pooled && !holdsProcess(connection)) callIfAble(pooled.socket, 'unref');
}

/** Whether the process lives until there is a socket for `connection`, which is being opened. */
export function holdsProcess({ host, waiter }: Connection<AgentKinds>): boolean {
  return !(waiter?.request instanceof SpareRequest) || waiter.request.keepsAlive || host.waiting.size > 0;
}

/** A request waits at `host`, and may get one of the connections that are being opened there and are bound to no request. */
export function refSpares({ connections, unclaimed }: HostPool<AgentKinds>): void {
  if (unclaimed === 0) return;
  for (const { pooled, spareLink, state } of connections)
    if (pooled && spareLink && state === 'connecting') callIfAble(pooled.socket, 'ref');
}
