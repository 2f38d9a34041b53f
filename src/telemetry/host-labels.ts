/**
 * Hosts as labels of metrics. Each label costs memory in every system that collects it, and a program may talk to any number of hosts: so only some
 * hosts have labels of their own, and all others are told of together, as `_OTHER`.
 */

export interface HostLabel {
  /** Name or address, without brackets. */
  readonly address: string;
  readonly port: number;
}

export const OTHER: HostLabel = { address: '_OTHER', port: 0 };

export class HostLabels {
  readonly #max: number;
  readonly #labels: Map<string, HostLabel> = new Map();

  /** @param max hosts that have labels of their own */
  constructor(max: number) {
    this.#max = max;
  }

  /** @param host `host:port` */
  of(host: string): HostLabel {
    const known = this.#labels.get(host);
    if (known) return known;
    if (this.#labels.size >= this.#max) return OTHER;
    const label = labelOf(host);
    this.#labels.set(host, label);
    return label;
  }

  /** All that were given so far. */
  get given(): Iterable<HostLabel> {
    return this.#labels.values();
  }

  /** Hosts that are not in `hosts` give their labels up. */
  keep(hosts: object): void {
    for (const host of this.#labels.keys()) if (!Object.hasOwn(hosts, host)) this.#labels.delete(host);
  }
}

function labelOf(host: string): HostLabel {
  const colon = host.lastIndexOf(':');
  return { address: host.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), port: Number(host.slice(colon + 1)) };
}
