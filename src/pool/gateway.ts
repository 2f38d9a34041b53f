/**
 * The limit on the tunnels of one proxy, which hosts share: a limit beside `maxSockets` and `maxTotalSockets`. Hosts that it alone holds back wait in
 * a line of its own. A gateway counts, and knows whose turn it is; supply.ts decides what follows.
 */
import type { HostLimits } from './limits.js';
import { List } from './list.js';
import type { Link } from './list.js';

interface Member<H> {
  readonly gatewayLink: Link<H>;
}

export class Gateway<C, H extends Member<H>> {
  /** Connections of its hosts that are not closed. Changed by capacity.ts. */
  size = 0;
  /** Connections of its hosts in state `closing`, which are in `size`, too. Changed by capacity.ts. */
  closing = 0;
  /** Idle connections, the least recently used first. */
  readonly idle: List<C> = new List();
  /** Hosts with unserved requests that wait for a slot here, the next one first. None of them waits for one under `maxTotalSockets`. */
  readonly blocked: List<H> = new List();
  readonly #limits: Pick<HostLimits, 'maxSockets'>;
  /** Requests that were served on used connections while other hosts waited, since a slot was last given. */
  #overtakes = 0;

  /** @param limits its `maxSockets` bounds the connections. Read anew at every decision */
  constructor(limits: Pick<HostLimits, 'maxSockets'>) {
    this.#limits = limits;
  }

  /** The number of slots that no connection has. Below 0 where the limit was lowered. */
  get left(): number {
    return this.#limits.maxSockets - this.size;
  }

  /** Whether there is a slot for `host`, and it is its turn to have it. */
  mayEnter(host: H): boolean {
    const isNext = this.blocked.head?.value === host;
    return this.left > (isNext ? 0 : this.#othersThan(host));
  }

  /** The number of hosts that wait here beside `host`. */
  #othersThan(host: H): number {
    return this.blocked.size - (isIn(this, host) ? 1 : 0);
  }

  /** Whether there are more connections, without those that are closing, than a lowered limit allows. */
  get isSurplus(): boolean {
    return this.size - this.closing > this.#limits.maxSockets;
  }

  /** Whether more hosts wait than slots are about to come free. */
  get lacksSlots(): boolean {
    return this.blocked.size > this.closing;
  }

  wait(host: H): void {
    if (!isIn(this, host)) this.blocked.push(host.gatewayLink);
  }

  leave(host: H): void {
    this.blocked.remove(host.gatewayLink);
  }

  /** `host`, which is next, has a slot: the others come next. */
  takeTurn(host: H): void {
    this.#overtakes = 0;
    if (this.blocked.remove(host.gatewayLink)) this.blocked.push(host.gatewayLink);
  }

  /** Whether `host`, instead of serving one more request of its own, gives up the slot. `most`: how many requests may come before that. */
  decideYield(host: H, most: number): boolean {
    if (this.#othersThan(host) <= this.closing) return false;
    if (this.#overtakes++ < most) return false;
    this.#overtakes = 0;
    if (this.blocked.head?.value !== host) return true;
    // It is this host's own turn: it keeps the slot that it would get.
    this.takeTurn(host);
    return false;
  }
}

function isIn<C, H extends Member<H>>({ blocked }: Gateway<C, H>, host: H): boolean {
  return host.gatewayLink.list === blocked;
}
