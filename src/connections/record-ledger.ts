/**
 * Tells whether everything that came off the wire has been delivered. TLS records arrive in bursts: while the end of
 * one response is being handled, the next record may already be decrypted or waiting to be, and nothing in Node's
 * API shows it. The counts do: each record costs a fixed number of bytes beside its content, so the bytes that the
 * TCP handle has read are those of the records delivered, or there is more to come.
 *
 * Without TLS there are no records, and the counts are to be the same.
 *
 * Records without application data (session tickets, key updates) and padding unbalance it until the next `reset`. A
 * balanced ledger proves that all was delivered; an unbalanced one proves nothing.
 */
import { callIfAble, propertyOf } from '../node/foreign.js';
import { plainCounterOf, wireCounterOf } from '../node/handle.js';
import type { SocketLike } from '../node/types.js';

/** Bytes around each record's content: header, explicit nonce, content type, tag. `undefined`: they vary. */
function overheadOf(protocol: unknown, cipher: unknown): number | undefined {
  if (typeof cipher !== 'string' || cipher.includes('CCM')) return undefined;
  // RFC 8446, section 5.2: header (5), content type (1), tag (16).
  if (protocol === 'TLSv1.3') return 22;
  if (protocol !== 'TLSv1.2') return undefined;
  // RFC 5288, section 3: header (5), explicit nonce (8), tag (16).
  if (cipher.includes('GCM')) return 29;
  // RFC 7905, section 2: header (5), tag (16).
  if (cipher.includes('CHACHA20')) return 21;
  return undefined;
}

export class RecordLedger {
  readonly #socket: SocketLike;
  #overhead: number | undefined;
  #raw: { readonly bytesRead?: number } | undefined;
  /** The bytes that the TCP handle had read when all was last known to be delivered. */
  #base = 0;
  #content = 0;
  #records = 0;

  constructor(socket: SocketLike) {
    this.#socket = socket;
  }

  /** Hot path. A record's content was delivered. */
  add(bytes: number): void {
    this.#content += bytes;
    this.#records++;
  }

  /** Hot path. `true`: nothing is left. `false`: that is not known. */
  get balanced(): boolean {
    const read = this.#raw?.bytesRead;
    if (read === undefined || this.#overhead === undefined) return false;
    return read - this.#base === this.#content + this.#records * this.#overhead;
  }

  /** All that was read is known to be delivered. */
  reset(): void {
    if (!this.#raw) this.#start();
    this.#base = this.#raw?.bytesRead ?? 0;
    this.#content = 0;
    this.#records = 0;
  }

  #start(): void {
    const socket = this.#socket;
    const plain = plainCounterOf(socket);
    if (plain) {
      this.#raw = plain;
      this.#overhead = 0;
      return;
    }
    const raw = wireCounterOf(socket);
    if (!raw) return;
    this.#raw = raw;
    this.#overhead = overheadOf(
      callIfAble(socket, 'getProtocol'),
      propertyOf(callIfAble(socket, 'getCipher'), 'name'),
    );
  }
}
