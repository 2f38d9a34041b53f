/**
 * The stand-in for a request where a connection is opened before one asks for it. It goes the way of all dials: `createSocket`
 * is called with it, and what users have overridden sees something that looks like a request which nobody has sent yet.
 */
import { EventEmitter } from 'node:events';
import { inspect } from 'node:util';
import type { Options } from '../identity/identity.js';
import { callIfAble } from '../node/foreign.js';
import type { AgentRequest } from '../node/types.js';
import type { Connection, HostPool } from '../pool/records.js';
import { PooledRequest } from './pooled-socket.js';
import type { AgentKinds } from './pooled-socket.js';

/** As much of `http.ClientRequest` as is asked of a request that has no socket yet. */
class StandIn extends EventEmitter {
  readonly method = 'CONNECT';
  readonly path = '/';
  readonly host: unknown;
  readonly protocol = 'https:';
  readonly destroyed = false;
  readonly aborted = false;
  readonly timeout: number | undefined = undefined;
  readonly #hostHeader: unknown;

  constructor(host: unknown, hostHeader: unknown) {
    super();
    this.host = host;
    this.#hostHeader = hostHeader;
  }

  getHeader(name: string): unknown {
    return name.toLowerCase() === 'host' ? this.#hostHeader : undefined;
  }
}

/** Told once how the connection has come out. The pool is in the middle of something: nothing of this may call back into it at once. */
export interface SpareListener {
  ready(request: SpareRequest, connection: Connection<AgentKinds>): void;
  /** @param reason `undefined`: nothing has failed, but its place was needed, or TLS options have changed */
  failed(request: SpareRequest, reason: unknown): void;
}

export class SpareRequest extends PooledRequest {
  /** Whether the process lives until the connection is ready. */
  readonly keepsAlive: boolean;
  readonly #listeners = new Set<SpareListener>();

  constructor(options: Options, hostHeader: unknown, keepsAlive: boolean) {
    super(new StandIn(options['host'], hostHeader) as unknown as AgentRequest, options, undefined);
    this.keepsAlive = keepsAlive;
  }

  override [inspect.custom](): string {
    return 'SpareRequest {}';
  }

  listen(listener: SpareListener): void {
    this.#listeners.add(listener);
  }

  /** @returns whether nobody listens any more */
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

/** The socket of `connection`, which is being opened, has come. A connection that nobody waits for keeps no process alive. */
export function unrefSpare({ host, pooled, waiter }: Connection<AgentKinds>): void {
  if (!pooled || !(waiter?.request instanceof SpareRequest)) return;
  if (!waiter.request.keepsAlive && host.waiting.size === 0) callIfAble(pooled.socket, 'unref');
}

/** A request waits at `host`, and may count on what is being opened there for nobody in particular. */
export function refSpares({ connections, unclaimed }: HostPool<AgentKinds>): void {
  if (unclaimed === 0) return;
  for (const { pooled, spareLink, state } of connections)
    if (pooled && spareLink && state === 'connecting') callIfAble(pooled.socket, 'ref');
}
