/**
 * The names to which one pool has connections: the front of this folder. Each dial to a name gets a `NamedDial`, and reports its outcome to it. Dials to
 * addresses and paths never come here.
 */
import { hostName, normalizeHost } from '../../limits/host-name.js';
import { monotonicNow } from '../../node/timers.js';
import type { NamePolicy } from '../../options/dns-option.js';
import { Destination } from './destination.js';
import { Lookups } from './lookups.js';
import type { DnsModule, Question } from './lookups.js';
import { answerOf } from './addresses.js';
import { NamedDial } from './named-dial.js';
import type { DialOwner } from './named-dial.js';

interface Last {
  readonly host: string;
  readonly port: unknown;
  readonly localAddress: unknown;
  readonly destination: Destination;
}

export class Names implements DialOwner {
  readonly lookups: Lookups;
  readonly rotates: boolean;
  readonly #maxEntries: number;
  readonly #now: () => number;
  /** Destinations by host, port and local address. The one that was dialled longest ago comes first. */
  readonly #destinations = new Map<string, Destination>();
  /** The one that was dialled last. */
  #last: Last | undefined = undefined;

  /** @param now milliseconds, by a monotonic clock */
  constructor(policy: NamePolicy, dns: DnsModule, now: () => number = monotonicNow) {
    this.#now = now;
    this.#maxEntries = policy.maxEntries;
    this.rotates = policy.rotate;
    this.lookups = new Lookups(policy, dns, now);
  }

  now(): number {
    return this.#now();
  }

  /** A dial to `host`, a name, begins. */
  begin(host: string, port: unknown, localAddress: unknown): NamedDial {
    return new NamedDial(this.#destinationOf(host, port, localAddress), this);
  }

  #destinationOf(host: string, port: unknown, localAddress: unknown): Destination {
    const last = this.#last;
    // Most dials lead to one destination. It is the last of all.
    if (last?.host === host && last.port === port && last.localAddress === localAddress)
      return last.destination;
    const destination = this.#find(host, port, localAddress);
    this.#last = { host, port, localAddress, destination };
    return destination;
  }

  #find(host: string, port: unknown, localAddress: unknown): Destination {
    const key = `${host} ${String(port)} ${String(localAddress ?? '')}`;
    const all = this.#destinations;
    let destination = all.get(key);
    if (!destination) {
      destination = new Destination(nameOf(host, port));
      if (all.size >= this.#maxEntries) this.#forget();
    } else if (all.size > 1) {
      all.delete(key);
    }
    all.set(key, destination);
    return destination;
  }

  /** Makes room: drops the destination that was dialled longest ago, of those without connections. */
  #forget(): void {
    for (const [key, { dials }] of this.#destinations) {
      if (dials.size > 0) continue;
      this.#destinations.delete(key);
      return;
    }
  }

  get destinations(): Iterable<Destination> {
    return this.#destinations.values();
  }

  /** Finds out whether the addresses of `destination` have changed. */
  ask(destination: Destination): void {
    for (const question of destination.questions()) this.#ask(destination, question);
  }

  /** A look-up that fails changes nothing: the connections are kept. */
  #ask(destination: Destination, question: Question): void {
    const { hostname, options, own } = question;
    try {
      if (!own) {
        this.lookups.ask(question, (_error, answer) => {
          if (answer) destination.compare(question, answer);
        });
        return;
      }
      own(hostname, { ...options, all: true }, (error, addresses, family) => {
        const answer = error ? undefined : answerOf(addresses, family);
        if (answer) destination.compare(question, answer);
      });
    } catch {
      // The `lookup` has thrown.
    }
  }
}

/** The name of the host in statistics. */
function nameOf(host: string, port: unknown): string {
  return hostName({ host: normalizeHost(host), port });
}
