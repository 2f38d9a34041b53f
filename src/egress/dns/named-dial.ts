/**
 * One dial to a name, and the connection that comes of it: gives the dial its `lookup`, and hears of its outcome. So the destination knows the addresses
 * of its connections, and which addresses have failed.
 */
import { codeOf, propertyOf } from '../../node/foreign.js';
import type { SocketLike } from '../../node/types.js';
import { answerOf, canonical } from './addresses.js';
import type { Answer } from './addresses.js';
import type { Destination, Leading } from './destination.js';
import { questionOf } from './lookups.js';
import type { Lookup, LookupOptions, Lookups, Question } from './lookups.js';
import { noAddress } from '../../errors.js';

/** The part of a pool's names that its dials need. */
export interface DialOwner {
  readonly lookups: Lookups;
  /** The option `rotate`. */
  readonly rotates: boolean;
  now(): number;
}

/** Errors of a handshake that speak against its address. Others (a certificate that is not trusted) would be the same at any address. */
const AGAINST_ADDRESS: ReadonlySet<unknown> = new Set([
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
]);

type Callback = Parameters<Lookup>[2];

type Attempts = Readonly<
  Record<
    'connectionAttemptFailed' | 'connectionAttemptTimeout',
    (address: string, port: unknown, family: unknown, error: unknown) => void
  >
>;

export class NamedDial implements Leading {
  readonly destination: Destination;
  readonly #owner: DialOwner;
  /** The address that it leads to, or tries first. */
  address: string | undefined = undefined;
  /** The key of its question. */
  key: string | undefined = undefined;
  #socket: SocketLike | undefined = undefined;
  /** The address that it is connected to. */
  #peer: string | undefined = undefined;
  /** The addresses that are tried, in order, where there are several. */
  #order: Answer | undefined = undefined;
  /** The listeners on its socket, where it tries several addresses. */
  #attempts: Attempts | undefined = undefined;
  /** The addresses that have failed in this dial. */
  #failed: Set<string> | undefined = undefined;

  constructor(destination: Destination, owner: DialOwner) {
    this.destination = destination;
    this.#owner = owner;
    destination.dials.add(this);
  }

  /**
   * The `lookup` of its dial.
   *
   * @param own the option `lookup`: it is called each time, with the dial's own arguments
   */
  lookup(own: Lookup | undefined): Lookup {
    if (own) return this.#lookupBy(own);
    return (hostname, options, callback) => {
      const question = questionOf(hostname, options);
      const { lookups } = this.#owner;
      if (!question) {
        lookups.askNode(hostname, options, callback);
        return;
      }
      lookups.ask(question, (error, answer) => {
        if (answer) this.#found(question, answer, options, callback);
        else callback(error);
      });
    };
  }

  #lookupBy(own: Lookup): Lookup {
    return (hostname, options, callback) => {
      let isCalledBack = false;
      return own(hostname, options, (error, addresses, family) => {
        if (isCalledBack) return;
        isCalledBack = true;
        const question = this.destination.ownQuestion(hostname, options, own);
        const before = this.destination.lastAnswerTo(question);
        const answer = error ? undefined : answerOf(addresses, family, before);
        if (answer) this.#found(question, answer, options, callback);
        else callback(error || noAddress(hostname));
      });
    };
  }

  #found(question: Question, answer: Answer, { all }: LookupOptions, callback: Callback): void {
    const { destination } = this;
    const { rotates } = this.#owner;
    // A dial that is over meanwhile holds no address.
    const isOver = !destination.dials.has(this);
    let order = answer;
    if (!isOver) {
      this.key = question.key;
      destination.heard(question, answer);
      order = destination.order(answer, this.#owner.now(), rotates);
    }
    const [first] = order;
    if (first && !isOver) {
      this.#tries(canonical(first.address));
      if (order.length > 1) this.#order = order;
      this.#listen();
    }
    if (all) callback(null, order);
    else callback(null, first?.address, first?.family);
  }

  #leadsTo(address: string): void {
    if (address === this.address) return;
    if (this.address !== undefined) this.destination.letGo(this.address);
    this.address = address;
    this.destination.hold(address);
  }

  #tries(address: string): void {
    this.#leadsTo(address);
    this.destination.takeTurn(address);
  }

  /** Its dial has brought `socket`. */
  brought(socket: SocketLike): void {
    this.#socket = socket;
    this.#listen();
  }

  /** Where there are several addresses, Node emits events for each attempt. */
  #listen(): void {
    if (!this.#order || !this.#socket) return;
    this.#attempts = {
      connectionAttemptFailed: (address: string, _port: unknown, _family: unknown, error: unknown) =>
        this.#attemptFailed(address, error),
      connectionAttemptTimeout: (address) => this.#failedAt(address, 'ETIMEDOUT'),
    };
    for (const [event, listener] of Object.entries(this.#attempts)) this.#socket.on(event, listener);
  }

  #unlisten(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket || !this.#attempts) return;
    for (const [event, listener] of Object.entries(this.#attempts)) socket.removeListener(event, listener);
  }

  #attemptFailed(address: string, error: unknown): void {
    // Some versions of Node emit this code for an attempt that was given up, which says nothing of the address.
    const code = codeOf(error);
    if (code !== 'ECANCELED') this.#failedAt(address, textOf(code));
  }

  #failedAt(given: string, code: string): void {
    const address = canonical(given);
    if (this.#failed?.has(address)) return;
    (this.#failed ??= new Set()).add(address);
    const { destination } = this;
    destination.memory.failed(address, code, this.#owner.now());
    if (address !== this.address || !this.#order) return;
    const next = this.#order[this.#order.findIndex((one) => canonical(one.address) === address) + 1];
    if (next && destination.dials.has(this)) this.#tries(canonical(next.address));
  }

  /**
   * Its socket is connected. Where there are several addresses, it is asked which one it has reached: it does not tell when it has failed.
   *
   * @param peerOf the address of the socket's other side
   */
  connected(peerOf: () => string | undefined): void {
    const peer = this.#order ? peerOf() : this.address;
    if (peer !== undefined) this.#peer = canonical(peer);
  }

  /** Its connection is ready to be used. */
  ready(): void {
    const { destination } = this;
    const address = this.#peer;
    if (address !== undefined && this.key !== undefined) {
      // For versions of Node that emit no events for single attempts.
      if (this.#order)
        for (const tried of attemptedBy(this.#socket))
          if (canonical(tried) !== address) this.#failedAt(tried, '');
      destination.memory.worked(address);
      if (destination.dials.has(this)) this.#leadsTo(address);
    }
    this.#unlisten();
  }

  /** Its dial has failed with `error`, which may be of any type. */
  failed(error: unknown): void {
    if (this.key === undefined) return;
    if (this.#peer !== undefined) {
      const code = codeOf(error);
      if (AGAINST_ADDRESS.has(code)) this.#failedAt(this.#peer, textOf(code));
      return;
    }
    const attempts = propertyOf(error, 'errors');
    for (const one of Array.isArray(attempts) ? (attempts as unknown[]) : [error]) {
      const address = propertyOf(one, 'address');
      if (typeof address === 'string') this.#failedAt(address, textOf(codeOf(one)));
    }
    // The time of the dial was over while it tried this address, the last one.
    const phase = propertyOf(error, 'phase');
    if (phase === 'connect' || phase === 'proxyConnect')
      for (const tried of attemptedBy(this.#socket)) this.#failedAt(tried, 'ETIMEDOUT');
  }

  /** Its connection is gone, or its dial is over without one. */
  end(): void {
    this.#unlisten();
    if (this.destination.dials.delete(this) && this.address !== undefined)
      this.destination.letGo(this.address);
  }
}

/** The addresses that Node has tried, where there were several: Node keeps a list of them, with ports. */
function attemptedBy(socket: SocketLike | undefined): string[] {
  const noted = socket && propertyOf(socket, 'autoSelectFamilyAttemptedAddresses');
  if (!Array.isArray(noted)) return [];
  return noted.map((one) => String(one)).map((one) => one.slice(0, one.lastIndexOf(':')));
}

function textOf(code: unknown): string {
  return typeof code === 'string' ? code : '';
}
