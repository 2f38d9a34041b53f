/**
 * Labels for hosts. Each label costs memory in every system that collects it, and a program may talk to any number of hosts. So a bounded number of
 * hosts have labels of their own, and all others are reported together, as `_OTHER`.
 */

export interface HostLabel {
  /** Name or address, without brackets. */
  readonly address: string;
  readonly port: number;
  /** Where the name tells it: that of an agent that shares its pool with one for the other protocol. */
  readonly scheme: string | undefined;
}

export const OTHER: HostLabel = { address: '_OTHER', port: 0, scheme: undefined };

export class HostLabels {
  readonly #max: number;
  readonly #labels: Map<string, HostLabel> = new Map();

  /** @param max the number of hosts that have labels of their own */
  constructor(max: number) {
    this.#max = max;
  }

  /** @param host `host:port`, or `http://host:port` */
  of(host: string): HostLabel {
    const known = this.#labels.get(host);
    if (known) return known;
    if (this.#labels.size >= this.#max) return OTHER;
    const label = labelOf(host);
    this.#labels.set(host, label);
    return label;
  }

  /** All labels that were given so far. */
  get given(): Iterable<HostLabel> {
    return this.#labels.values();
  }

  /** Frees the labels of hosts that are not in `hosts`. */
  keep(hosts: object): void {
    for (const host of this.#labels.keys()) if (!Object.hasOwn(hosts, host)) this.#labels.delete(host);
  }
}

function labelOf(name: string): HostLabel {
  const [, scheme, host = name] = /^(https?):\/\/(.*)$/.exec(name) ?? [];
  const colon = host.lastIndexOf(':');
  const address = host.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { address, port: Number(host.slice(colon + 1)), scheme };
}
