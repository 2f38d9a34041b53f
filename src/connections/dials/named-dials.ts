/**
 * The dials of one pool to hosts that are given by name: each gets a `lookup` of ours, and reports its outcome.
 * Dials to addresses and paths, and dials by functions of others, are left alone. Where a proxy leads to a host, the name is the proxy's.
 */
import type { LookupFunction } from 'node:net';
import type { AddressState } from '../../egress/dns/destination.js';
import type { DnsModule, Lookup } from '../../egress/dns/lookups.js';
import { Names } from '../../egress/dns/names.js';
import type { NamedDial } from '../../egress/dns/named-dial.js';
import type { Options } from '../../identity/identity.js';
import { isAddress } from '../../identity/server-name.js';
import type { NamePolicy } from '../../options/dns-option.js';
import type { Connection } from '../../pool/records.js';
import type { Pool } from '../../pool/pool.js';
import type * as followedNames from './followed-names.js';
import type { FollowedNames } from './followed-names.js';
import type { AgentKinds, PooledSocket } from '../pooled-socket.js';

type Conn = Connection<AgentKinds>;

export class NamedDials {
  readonly #pool: Pool<AgentKinds>;
  readonly #policy: NamePolicy;
  readonly #now: () => number;
  readonly #loadFollowed: () => typeof followedNames;
  #names: Names | undefined = undefined;
  readonly #dials = new Map<Conn, NamedDial>();
  #followed: FollowedNames | undefined = undefined;

  /**
   * @param now the pool's clock
   * @param loadFollowed loads the code for `dns.follow`
   */
  constructor(
    pool: Pool<AgentKinds>,
    policy: NamePolicy,
    now: () => number,
    loadFollowed: () => typeof followedNames,
  ) {
    this.#pool = pool;
    this.#policy = policy;
    this.#now = now;
    this.#loadFollowed = loadFollowed;
  }

  /**
   * The `lookup` that Node's functions get for a socket of `connection`. `undefined`: none, or that of `options`.
   *
   * @param options those of the dial
   */
  lookupFor(connection: Conn, options: Options): LookupFunction | undefined {
    this.#end(connection);
    const { host, lookup: own, path, port, socket } = options;
    if (typeof host !== 'string' || isAddress(host) || path || socket) return undefined;
    // Node refuses a `lookup` that is no function.
    if (own && typeof own !== 'function') return undefined;
    const dial = this.#use().begin(host, port, options['localAddress']);
    this.#dials.set(connection, dial);
    this.#followed?.begun(dial, connection);
    return dial.lookup(own ? (own as Lookup) : undefined) as LookupFunction;
  }

  #use(): Names {
    if (this.#names) return this.#names;
    // Node's module is loaded when it is needed. It must be the module object itself: others may replace its functions.
    const dns = process.getBuiltinModule('node:dns') as unknown as DnsModule;
    this.#names = new Names(this.#policy, dns);
    if (this.#policy.follow) {
      const { FollowedNames: Followed } = this.#loadFollowed();
      this.#followed = new Followed(this.#names, this.#pool, this.#policy.ttl, this.#now);
    }
    return this.#names;
  }

  /** The dial of `connection` has brought its socket, or one that leads to its proxy. */
  brought({ connection, socket }: Pick<PooledSocket, 'connection' | 'socket'>): void {
    this.#dials.get(connection)?.brought(socket);
  }

  /** The socket of `pooled` is connected. */
  connected(pooled: PooledSocket): void {
    this.#dials.get(pooled.connection)?.connected(() => pooled.peer.address);
  }

  /** `pooled` is ready to be used. */
  ready({ connection }: PooledSocket): void {
    this.#dials.get(connection)?.ready();
  }

  /** The socket of `pooled` has an error, and was not ready. */
  failed({ connection, error, isGivenUp, offered }: PooledSocket): void {
    // The dial was given up, by us or by its user, or the session was refused: neither says anything of the address.
    if (connection.closeReason !== undefined || isGivenUp || offered?.isRefused) return;
    this.#dials.get(connection)?.failed(error);
  }

  /** No socket of the dial of `connection` has reached its proxy. */
  proxyFailed(connection: Conn, error: unknown): void {
    this.#dials.get(connection)?.failed(error);
  }

  /** `connection` is gone. */
  gone(connection: Conn): void {
    this.#end(connection);
  }

  #end(connection: Conn): void {
    const dial = this.#dials.get(connection);
    if (!dial) return;
    this.#dials.delete(connection);
    dial.end();
  }

  /**
   * The addresses of hosts that were dialled by name, by `host:port`. For statistics.
   *
   * @param only the one that is asked for. `undefined`: all
   */
  addresses(only?: string): Map<string, readonly AddressState[]> {
    const found = new Map<string, readonly AddressState[]>();
    for (const destination of this.#names?.destinations ?? []) {
      const { name } = destination;
      if (only !== undefined && only !== name) continue;
      const others = found.get(name);
      const states = destination.addresses();
      found.set(name, others ? together([...others, ...states]) : states);
    }
    return found;
  }

  /** Everything was destroyed. */
  stop(): void {
    this.#followed?.stop();
  }
}

/** Merges the states of a name that is dialled from several local addresses. */
function together(states: readonly AddressState[]): AddressState[] {
  const found = new Map<string, AddressState>();
  for (const one of states) {
    const other = found.get(one.address);
    found.set(one.address, {
      address: one.address,
      connections: one.connections + (other?.connections ?? 0),
      isCurrent: one.isCurrent || other?.isCurrent === true,
      failure: one.failure ?? other?.failure,
    });
  }
  return [...found.values()];
}
