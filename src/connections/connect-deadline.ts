/**
 * The deadline of a dial: from the moment it begins until the connection is ready to be used, TLS handshake included.
 *
 * It counts only time in which the event loop ran. A loop that was blocked for longer than the whole deadline finds its timer due before
 * it has polled a single socket, while all the answers are there. So the deadline is cut into slices, a timer each: however long the
 * loop was away, it costs one slice; and after the last one the loop polls once more. Most dials end within the first.
 *
 * It keeps the process alive until there is a socket that does so: one of the system's own. Whoever calls `unref()` on the socket
 * lets the process end.
 */
import { isIP } from 'node:net';
import { hasDescriptor, isUnreferenced } from '../node/handle.js';
import type { SocketLike } from '../node/types.js';
import { clearTimeout, MAX_DELAY, setImmediate, setTimeout } from '../node/timers.js';
import type { ConnectPhase } from '../pool/counters.js';

const SLICES = 10;

export class ConnectDeadline {
  readonly #delay: number;
  readonly #isWanted: () => boolean;
  readonly #onTimeout: (phase: ConnectPhase, address: string | undefined) => void;
  #slices = SLICES;
  #timer: NodeJS.Timeout | undefined;
  #isCleared = false;
  #socket: SocketLike | undefined;
  /** The event by which the socket tells that it is ready. */
  #event = '';
  /** A path needs no lookup. */
  #isPath = false;
  /** Where to: more than one if the first did not answer at once (RFC 8305). */
  #addresses: string[] = [];

  /**
   * @param timeout milliseconds, above 0
   * @param isWanted whether anybody still waits for the dial; asked now and then
   */
  constructor(
    timeout: number,
    isWanted: () => boolean,
    onTimeout: (phase: ConnectPhase, address?: string) => void,
  ) {
    this.#isWanted = isWanted;
    this.#delay = Math.min(timeout / SLICES, MAX_DELAY);
    this.#onTimeout = onTimeout;
    this.#start();
  }

  /**
   * The dial has brought `socket`: the deadline goes on until that is ready, or closed.
   *
   * @param host `undefined`: it is the path of a Unix socket
   */
  watch(socket: SocketLike, host: string | undefined): void {
    if (!socket.secureConnecting && !socket.connecting) {
      this.clear();
      return;
    }
    this.#socket = socket;
    // 'secure' comes also from a TLSSocket that was not made by tls.connect, and never emits 'secureConnect'.
    this.#event = socket.secureConnecting ? 'secure' : 'connect';
    if (host === undefined) this.#isPath = true;
    else if (isIP(host) !== 0) this.#addresses.push(host);
    socket.on('lookup', this.#onLookup);
    socket.on(this.#event, this.#onReady);
    socket.on('close', this.#onReady);
    // Listeners of 'socket' have been called by then.
    setImmediate(() => this.#adjustRef());
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#isCleared = true;
    this.unwatch();
  }

  get isRunning(): boolean {
    return !this.#isCleared;
  }

  /** The socket will not become ready; the deadline goes on for the next one. */
  unwatch(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#isPath = false;
    this.#addresses = [];
    if (!socket) return;
    socket.removeListener('lookup', this.#onLookup);
    socket.removeListener(this.#event, this.#onReady);
    socket.removeListener('close', this.#onReady);
  }

  get #phase(): ConnectPhase {
    if (!this.#socket) return 'createConnection';
    if (!this.#socket.connecting) return 'secureConnect';
    // A `lookup` that answers at once has done so before anybody could listen: then there is a descriptor by now.
    const isFound = this.#isPath || this.#addresses.length > 0 || hasDescriptor(this.#socket);
    return isFound ? 'connect' : 'lookup';
  }

  #start(): void {
    this.#timer = setTimeout(() => {
      if (!this.#isWanted()) {
        this.clear();
        return;
      }
      if (--this.#slices > 0) this.#start();
      else setImmediate(() => this.#end());
    }, this.#delay);
    this.#adjustRef();
  }

  /** A socket of the system's keeps the process alive itself, unless it was told not to. One that is to come was told, too. */
  #adjustRef(): void {
    const socket = this.#socket;
    if (socket && (hasDescriptor(socket) || isUnreferenced(socket))) this.#timer?.unref();
    else if (!this.#isCleared) this.#timer?.ref();
  }

  #end(): void {
    if (this.#isCleared) return;
    const [address, ...others] = this.#addresses;
    this.#onTimeout(this.#phase, others.length === 0 ? address : undefined);
  }

  readonly #onReady = (): void => {
    this.clear();
  };

  readonly #onLookup = (error: Error | null, address: string): void => {
    if (!error) this.#addresses.push(address);
    // The first address is tried right after this.
    setImmediate(() => this.#adjustRef());
  };
}
