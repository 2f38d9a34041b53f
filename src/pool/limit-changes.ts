/**
 * Limits that change while the pool works. Waiting requests are served at once where the new limits allow it; idle connections above a lowered
 * limit are closed, those in use after their exchange. Requests that wait already are not refused.
 */
import type { Books } from './books.js';
import type { Kinds } from './kinds.js';
import type { HostLimits } from './limits.js';
import type { Connection, HostPool } from './records.js';
import type { Supply } from './supply.js';

export class LimitChanges<K extends Kinds> {
  readonly #books: Books<K>;
  readonly #supply: Supply<K>;

  constructor(books: Books<K>, supply: Supply<K>) {
    this.#books = books;
    this.#supply = supply;
  }

  /** See `Pool.limit`. */
  limit(host: HostPool<K>, limits: HostLimits, via: HostLimits | undefined): void {
    const { capacity } = this.#books;
    host.limits = limits;
    host.reservation = capacity.reservations.get(limits);
    host.gateway = via && capacity.gatewayOf(via);
    host.reorder(this.#books.limits.random);
  }

  /** See `Pool.rulesChanged`. */
  rulesChanged(
    limitsOf: (host: HostPool<K>) => HostLimits,
    reserving: readonly HostLimits[],
    viaOf: (host: HostPool<K>) => HostLimits | undefined,
  ): void {
    const { capacity, hosts } = this.#books;
    capacity.replaceGroups(reserving, hosts, (host) => this.limit(host, limitsOf(host), viaOf(host)));
    this.#apply();
  }

  /** See `Pool.limitsChanged`. */
  limitsChanged(): void {
    const { hosts, limits } = this.#books;
    for (const host of hosts) host.reorder(limits.random);
    this.#apply();
  }

  #apply(): void {
    const { capacity, hosts } = this.#books;
    this.#books.changes++;
    capacity.allot();
    for (const host of hosts) this.#applyTo(host);
    this.#closeAboveTotals();
    this.#supply.grantAll();
  }

  #applyTo(host: HostPool<K>): void {
    const { maxSockets, maxFreeSockets } = host.limits;
    if (host.connections.size >= maxSockets) this.#books.capacity.unblock(host);
    this.#books.queues.rewatch(host);
    for (const connection of host.idle) {
      if (host.idle.size <= maxFreeSockets && host.connections.size - host.closing <= maxSockets) break;
      this.#supply.close(connection, 'surplus');
    }
  }

  #closeAboveTotals(): void {
    const { capacity, idle, limits } = this.#books;
    const { lru } = idle;
    while (capacity.size - capacity.closing > limits.maxTotalSockets) {
      if (!this.#closeSurplus(capacity.evictable ?? lru.head?.value)) break;
    }
    for (const gateway of capacity.gateways.values())
      while (gateway.isSurplus) if (!this.#closeSurplus(gateway.idle.head?.value)) break;
    while (lru.size > limits.maxTotalFreeSockets) if (!this.#closeSurplus(lru.head?.value)) break;
  }

  /** `false`: there is no such connection, or it stays. */
  #closeSurplus(connection: Connection<K> | undefined): boolean {
    if (!connection) return false;
    this.#supply.close(connection, 'surplus');
    return !connection.lruLink.list;
  }
}
