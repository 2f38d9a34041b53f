/**
 * The deadline of a dial: from the moment it begins until the connection is ready to be used, TLS handshake included.
 *
 * Only time in which the event loop ran counts. A loop that was blocked for longer than the whole deadline would find its timer due before
 * it has polled a single socket, although all answers are there. So the deadline is cut into slices, with a timer each: a blocked loop
 * costs one slice, however long it was blocked; and after the last one the loop polls once more. Most dials end within the first.
 *
 * It keeps the process alive until a socket of the system's does that. Code that calls `unref()` on the socket lets the process end.
 */
import { isAddress } from '../../identity/server-name.js';
import { hasDescriptor, isUnreferenced } from '../../node/handle.js';
import type { SocketLike } from '../../node/types.js';
import { clearTimeout, MAX_DELAY, nextTick, setImmediate, setTimeout } from '../../node/timers.js';
import type { ConnectPhase } from '../../pool/counters.js';

const SLICES = 10;

/** The dial that has a deadline. */
interface Dialling {
  /** Whether it is still needed. Asked now and then. */
  readonly isWanted: boolean;
  /** The time is over. `address`: the only one that was tried. */
  timedOut(phase: ConnectPhase, address: string | undefined): void;
}

/** Its owner tells it of the steps of the dial: a connection that is opened costs no listeners of the deadline's own. */
export class ConnectDeadline {
  readonly #dial: Dialling;
  readonly #delay: number;
  #slices = SLICES;
  #timer: NodeJS.Timeout | undefined;
  #isCleared = false;
  #socket: SocketLike | undefined;
  /** A path needs no lookup. */
  #isPath = false;
  /** The addresses that were tried: more than one if the first did not answer at once (RFC 8305). */
  #addresses: string[] = [];

  /** @param timeout milliseconds, above 0 */
  constructor(timeout: number, dial: Dialling) {
    this.#dial = dial;
    this.#delay = Math.min(timeout / SLICES, MAX_DELAY);
    this.#start();
  }

  /**
   * The dial has brought `socket`: the deadline goes on until `clear` is called, when that is ready, or closed.
   *
   * @param host `undefined`: it is the path of a Unix socket
   */
  watch(socket: SocketLike, host: string | undefined): void {
    if (this.#isCleared) return;
    this.#socket = socket;
    if (host === undefined) this.#isPath = true;
    else if (isAddress(host)) this.#addresses.push(host);
    // Listeners of 'socket' may call `unref()`: they are called in a tick. Where no name is looked up, Node's socket has its descriptor in the next tick;
    // otherwise when an address is found.
    nextTick(adjustRef, this);
  }

  /** An address was found for the socket's name. */
  lookedUp(address: string): void {
    this.#addresses.push(address);
    // The first address is tried in this tick.
    nextTick(adjustRef, this);
  }

  /** May be called twice. */
  clear(): void {
    if (this.#isCleared) return;
    clearTimeout(this.#timer);
    this.#isCleared = true;
    this.unwatch();
  }

  get isRunning(): boolean {
    return !this.#isCleared;
  }

  /** The socket is lost; the deadline runs on for the next one. */
  unwatch(): void {
    if (!this.#socket) return;
    this.#socket = undefined;
    this.#isPath = false;
    this.#addresses = [];
  }

  get #phase(): ConnectPhase {
    if (!this.#socket) return 'createConnection';
    if (!this.#socket.connecting) return 'secureConnect';
    // A `lookup` that answers at once has done so before a listener could be added. Then the socket has a descriptor.
    const isFound = this.#isPath || this.#addresses.length > 0 || hasDescriptor(this.#socket);
    return isFound ? 'connect' : 'lookup';
  }

  #start(): void {
    this.#timer = setTimeout(endSlice, this.#delay, this);
  }

  /** A part of the time is over. */
  endSlice(): void {
    if (!this.#dial.isWanted) {
      this.clear();
    } else if (--this.#slices > 0) {
      this.#start();
      this.adjustRef();
    } else {
      setImmediate(end, this);
    }
  }

  /** A socket of the system's keeps the process alive itself, unless `unref()` was called on it, also before it had a handle. */
  adjustRef(): void {
    if (this.#isCleared) return;
    const socket = this.#socket;
    if (socket && (hasDescriptor(socket) || isUnreferenced(socket))) this.#timer?.unref();
    else this.#timer?.ref();
  }

  end(): void {
    if (this.#isCleared) return;
    const [address, ...others] = this.#addresses;
    this.#dial.timedOut(this.#phase, others.length === 0 ? address : undefined);
  }
}

function endSlice(deadline: ConnectDeadline): void {
  deadline.endSlice();
}

function adjustRef(deadline: ConnectDeadline): void {
  deadline.adjustRef();
}

function end(deadline: ConnectDeadline): void {
  deadline.end();
}
