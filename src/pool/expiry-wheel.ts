/**
 * Members by the time at which they expire: a timing wheel. Adding and removing take constant time and allocate nothing;
 * a sweep visits those that have expired and those that share a slot of the wheel with them, not the rest.
 *
 * A member that is added again, to expire later, stays where it is, and is moved when the sweep comes by. So connections that are used again
 * and again, long before they expire, cost nothing here.
 */
import type { Link } from './list.js';
import { List } from './list.js';

interface Expiring<T> {
  /** `Infinity`: never. If it becomes earlier, the member has to be added again. */
  readonly expiresAt: number;
  readonly expiryLink: Link<T>;
  /** The wheel's own: the slot that the member is in, counted from time 0. */
  expirySlot: number;
}

/** Milliseconds that share a slot. A member may be found this much later than its time. */
export const GRAIN = 100;
/** Members that expire more than `SLOTS * GRAIN` ahead, 102 s, are visited once a revolution until their time comes. A power of two. */
const SLOTS = 1024;

export class ExpiryWheel<T extends Expiring<T>> {
  readonly #slots: (List<T> | undefined)[] = [];
  /** The last slot swept, counted from time 0. */
  #hand = 0;
  size = 0;

  /** Hot path. */
  add(member: T): void {
    const { expiresAt, expiryLink } = member;
    if (expiresAt === Infinity) return;
    const slot = Math.max(Math.ceil(expiresAt / GRAIN), this.#hand + 1);
    if (expiryLink.list) {
      if (member.expirySlot <= slot) return;
      this.remove(member);
    }
    member.expirySlot = slot;
    (this.#slots[slot & (SLOTS - 1)] ??= new List()).push(expiryLink);
    this.size++;
  }

  /** A member that is not in the wheel is left alone. */
  remove({ expiryLink }: T): void {
    if (expiryLink.list?.remove(expiryLink)) this.size--;
  }

  /** Takes out the members that have expired at `now`, and passes them on. `onExpired` may add and remove members. */
  sweep(now: number, onExpired: (member: T) => void): void {
    const until = Math.floor(now / GRAIN);
    const from = Math.max(this.#hand + 1, until - SLOTS + 1);
    this.#hand = Math.max(this.#hand, until);
    for (let slot = from; slot <= until && this.size > 0; slot++) {
      const list = this.#slots[slot & (SLOTS - 1)];
      for (let left = list?.size ?? 0; left > 0; left--) {
        const member = list?.head?.value;
        if (!member) break;
        this.remove(member);
        if (member.expiresAt <= now) onExpired(member);
        else this.add(member);
      }
    }
  }

  /** The time at which the next sweep may find something; `Infinity` if the wheel is empty. */
  get next(): number {
    if (this.size === 0) return Infinity;
    const first = this.#hand + 1;
    for (let slot = first; slot < first + SLOTS; slot++) {
      if (this.#slots[slot & (SLOTS - 1)]?.size) return slot * GRAIN;
    }
    return Infinity;
  }
}
