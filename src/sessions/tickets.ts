/**
 * The sessions of one identity, the newest last. A TLS 1.3 ticket is handed out once while another one is left (RFC 8446,
 * appendix C.4); the caller decides about the last one. Sessions of earlier versions are reusable, and the newest is enough.
 */
import { readSession } from './session-info.js';

/** Whether the last ticket may be handed out again. */
export type TicketReuse = 'allow' | 'never';

interface Entry {
  readonly session: Buffer;
  readonly singleUse: boolean;
  /** Milliseconds since the epoch. `undefined`: the session could not be read, and is never offered. */
  readonly expiresAt: number | undefined;
  /** Whether it was handed out at least once, and kept as the last. */
  used: boolean;
}

export class Shelf {
  #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  /** The newest session. It is not handed out. */
  get newest(): Buffer | undefined {
    return this.#entries.at(-1)?.session;
  }

  /** Sessions that can be offered, the oldest first. */
  get sessions(): Buffer[] {
    return this.#entries.filter(({ expiresAt }) => expiresAt !== undefined).map(({ session }) => session);
  }

  /** Adds a session. `false`: it has expired. */
  add(session: Buffer, now: number): boolean {
    const entry = entryOf(session, now);
    if (isExpired(entry, now)) return false;
    // A newer session replaces a used one, and an older one that is as reusable, or as unreadable.
    this.#entries = this.#entries.filter(
      (other) => !other.used && (entry.singleUse || other.singleUse) && other.session !== session,
    );
    this.#entries.push(entry);
    return true;
  }

  /**
   * Adds sessions below the present ones: they are older, or imported. The newest of those that can be offered are added, up to `max`
   * sessions in all. Returns their number.
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

  /** Removes `session`. `false`: it was not there. */
  remove(session: Buffer): boolean {
    const index = this.#entries.findIndex((entry) => entry.session === session);
    if (index !== -1) this.#entries.splice(index, 1);
    return index !== -1;
  }

  /** Removes expired sessions, and returns their number. */
  expire(now: number): number {
    const { length } = this.#entries;
    if (this.#entries.some((entry) => isExpired(entry, now))) {
      this.#entries = this.#entries.filter((entry) => !isExpired(entry, now));
    }
    return length - this.#entries.length;
  }

  /** Keeps the newest `max` sessions. Returns the number of those that were dropped. */
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
    // A clock that was set back does not extend its life.
    expiresAt: info && Math.min(info.issuedAt, now) + info.lifetime,
    used: false,
  };
}

function isExpired({ expiresAt }: Entry, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}
