/**
 * The sessions of one identity, the newest last. A TLS 1.3 ticket is handed out once while another one is left (RFC 8446,
 * appendix C.4); about the last one the caller decides. Older sessions are reusable, and the newest is enough.
 */
import { readSession } from './session-info.js';

/** Whether the last ticket may be handed out again. */
export type TicketReuse = 'allow' | 'never';

interface Entry {
  readonly session: Buffer;
  readonly singleUse: boolean;
  /** Milliseconds since the epoch. `undefined`: it could not be read, and is for showing only. */
  readonly expiresAt: number | undefined;
  /** Handed out at least once, and kept as the last. */
  used: boolean;
}

export class Shelf {
  #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The newest session, to look at. */
  get newest(): Buffer | undefined {
    return this.#entries.at(-1)?.session;
  }

  /** Sessions that can be offered, the oldest first. */
  get sessions(): Buffer[] {
    return this.#entries.filter(({ expiresAt }) => expiresAt !== undefined).map(({ session }) => session);
  }

  /** Whether it was taken in: not when it has expired. */
  add(session: Buffer, now: number): boolean {
    const entry = entryOf(session, now);
    if (isExpired(entry, now)) return false;
    // A used session is replaced by any newer one; so is an older session that is as reusable, or as unreadable.
    this.#entries = this.#entries.filter(
      (other) => !other.used && (entry.singleUse || other.singleUse) && other.session !== session,
    );
    this.#entries.push(entry);
    return true;
  }

  /**
   * Puts sessions below those that are there: they are older, or from elsewhere. Of those that can be offered the newest are taken in, as
   * many as there is room for among `max`. Returns how many.
   */
  addBelow(sessions: readonly Buffer[], now: number, max: number): number {
    const entries: Entry[] = [];
    for (let i = sessions.length - 1; i >= 0 && this.#entries.length + entries.length < max; i--) {
      const entry = entryOf(sessions[i] as Buffer, now);
      if (entry.expiresAt !== undefined && !isExpired(entry, now)) entries.push(entry);
    }
    this.#entries = [...entries.toReversed(), ...this.#entries];
    return entries.length;
  }

  /** The session to offer next. */
  take(reuse: TicketReuse): Buffer | undefined {
    const index = this.#entries.findLastIndex(({ expiresAt }) => expiresAt !== undefined);
    const entry = this.#entries[index];
    if (!entry) return undefined;
    if (entry.singleUse && (reuse === 'never' || this.#entries.length > 1)) this.#entries.splice(index, 1);
    else if (entry.singleUse) entry.used = true;
    return entry.session;
  }

  /** `session` was taken and never sent. */
  putBack(session: Buffer, now: number): void {
    if (this.#entries.some((entry) => entry.session === session)) return;
    const entry = entryOf(session, now);
    if (!isExpired(entry, now)) this.#entries.push(entry);
  }

  /** Whether it was there. */
  remove(session: Buffer): boolean {
    const index = this.#entries.findIndex((entry) => entry.session === session);
    if (index !== -1) this.#entries.splice(index, 1);
    return index !== -1;
  }

  /** Returns how many had expired. */
  expire(now: number): number {
    const { length } = this.#entries;
    if (this.#entries.some((entry) => isExpired(entry, now))) {
      this.#entries = this.#entries.filter((entry) => !isExpired(entry, now));
    }
    return length - this.#entries.length;
  }

  /** Keeps the newest `max`. Returns how many had to go. */
  trim(max: number): number {
    const surplus = Math.max(this.#entries.length - max, 0);
    this.#entries.splice(0, surplus);
    return surplus;
  }
}

function entryOf(session: Buffer, now: number): Entry {
  const info = readSession(session);
  return {
    session,
    singleUse: info?.singleUse ?? false,
    // A clock that was set back does not make it live longer.
    expiresAt: info && Math.min(info.issuedAt, now) + info.lifetime,
    used: false,
  };
}

function isExpired({ expiresAt }: Entry, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
