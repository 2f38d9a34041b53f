/** The things behind a host: its connections, and the requests that wait, with the reason. */
import type { AddressRow, ConnectionRow, HostDetails, WaitingRow } from '../src/inspect/feed.js';
import { element, setText } from './dom.js';
import { count, duration, plural } from './format.js';
import { LiveTable } from './live-table.js';
import type { Column } from './live-table.js';

const CONNECTIONS: readonly Column<ConnectionRow>[] = [
  {
    key: 'number',
    label: 'No.',
    hint: 'The number of the connection, as in debug lines',
    value: ({ number }) => number,
    text: ({ number }) => String(number),
  },
  {
    key: 'state',
    label: 'State',
    hint: 'The state of the connection',
    value: ({ state }) => state,
    paint: (cell, { state }) => {
      setText(cell, state);
      cell.dataset['state'] = state;
    },
  },
  {
    key: 'address',
    label: 'Address',
    hint: 'The address and port of the server',
    value: ({ address }) => address,
    text: ({ address }) => address || '–',
    hides: 'narrow',
  },
  {
    key: 'protocol',
    label: 'TLS',
    hint: 'The version of TLS',
    value: ({ protocol }) => protocol,
    text: ({ protocol }) => protocol || '–',
    hides: 'narrow',
  },
  {
    key: 'cipher',
    label: 'Cipher',
    hint: 'The cipher suite',
    value: ({ cipher }) => cipher,
    text: ({ cipher }) => cipher || '–',
    hides: 'medium',
  },
  {
    key: 'age',
    label: 'Age',
    hint: 'How long ago the connection was opened',
    value: ({ age }) => age,
    text: ({ age }) => duration(age),
  },
  {
    key: 'requests',
    label: 'Requests',
    hint: 'Requests that the connection has served, with the current one',
    value: ({ requests }) => requests,
    text: ({ requests }) => count(requests),
  },
  {
    key: 'idle',
    label: 'Idle for',
    hint: 'How long the connection has been free',
    value: ({ idleFor }) => idleFor,
    text: ({ idleFor }) => duration(idleFor),
  },
  {
    key: 'learned',
    label: 'Server’s limit',
    hint: 'How long the server was seen to keep idle connections, if known: connections are used for less than that',
    value: ({ learnedIdle }) => learnedIdle,
    text: ({ learnedIdle }) => duration(learnedIdle),
    hides: 'narrow',
  },
];

const ADDRESSES: readonly Column<AddressRow>[] = [
  {
    key: 'address',
    label: 'Address',
    hint: 'An address of the host',
    value: ({ address }) => address,
    text: ({ address }) => address,
  },
  {
    key: 'connections',
    label: 'Connections',
    hint: 'Connections to this address, open or being opened',
    value: ({ connections }) => connections,
    text: ({ connections }) => count(connections),
  },
  {
    key: 'current',
    label: 'In DNS',
    hint: 'Whether the last answer of the resolver has this address',
    value: ({ current }) => Number(current),
    text: ({ current }) => (current ? 'yes' : 'no'),
  },
  {
    key: 'error',
    label: 'Last error',
    hint: 'The last error with this address, if it has not worked since: it is tried last for a while',
    value: ({ lastError }) => lastError,
    text: ({ lastError }) => lastError || '–',
  },
  {
    key: 'failed',
    label: 'Ago',
    hint: 'How long ago that error was',
    value: ({ failedAgo }) => failedAgo,
    text: ({ failedAgo }) => duration(failedAgo),
  },
];

/** The meaning of each reason. A reason without a line here is shown as it is. */
const REASONS: Readonly<Record<string, string>> = {
  maxSockets: 'its host has all the connections that it may have',
  maxTotalSockets: 'the agent has all the connections that it may have',
  reserved: 'the remaining capacity is reserved for other hosts',
  paused: 'its host may have no connection',
  pacing: 'a connection is opened at the end of this turn',
  validating: 'a connection is being checked for it',
  connecting: 'a connection is being opened',
};

const WAITING: readonly Column<WaitingRow>[] = [
  {
    key: 'place',
    label: 'No.',
    hint: 'The position of the request in the queue',
    value: ({ place }) => place,
    text: ({ place }) => String(place),
  },
  {
    key: 'reason',
    label: 'Waits because',
    hint: 'The reason for which the request waits',
    value: ({ reason }) => reason,
    paint: (cell, { reason }) => {
      if (!cell.firstChild) cell.append(element('code'), element('span'));
      const [code, words] = cell.children;
      if (code) setText(code, reason);
      if (words) setText(words, REASONS[reason] ?? '');
    },
  },
  {
    key: 'waited',
    label: 'For',
    hint: 'How long the request has waited so far',
    value: ({ waited }) => waited,
    text: ({ waited }) => duration(waited),
  },
  {
    key: 'priority',
    label: 'Priority',
    hint: '0 is the most urgent, 7 the least',
    value: ({ priority }) => priority,
    text: ({ priority }) => String(priority),
    hides: 'narrow',
  },
];

export class Details {
  readonly node: HTMLElement;
  readonly #connections = new LiveTable('Connections', CONNECTIONS, ({ number }) => String(number), {
    key: 'number',
    isDescending: false,
  });
  readonly #waiting = new LiveTable('Waiting requests', WAITING, ({ place }) => String(place), {
    key: 'place',
    isDescending: false,
  });
  readonly #addresses = new LiveTable('Addresses', ADDRESSES, ({ address }) => address, {
    key: 'address',
    isDescending: false,
  });
  readonly #ofName = element('div', {}, this.#addresses.node);
  readonly #noConnections = element('p', { className: 'none' });
  readonly #noWaiting = element('p', { className: 'none' });

  constructor() {
    this.node = element(
      'div',
      { className: 'details' },
      element('div', {}, this.#connections.node, this.#noConnections),
      element('div', {}, this.#waiting.node, this.#noWaiting),
      this.#ofName,
    );
  }

  show(details: HostDetails | undefined): void {
    const connections = details?.connections ?? [];
    const waiting = details?.waiting ?? [];
    const addresses = details?.addresses ?? [];
    this.#connections.show(connections);
    this.#addresses.show(addresses);
    this.#ofName.hidden = addresses.length === 0;
    this.#waiting.show(waiting);
    setText(
      this.#noConnections,
      details
        ? remark(connections.length, details.moreConnections, 'connection', 'No connection is open.')
        : 'Loading',
    );
    setText(
      this.#noWaiting,
      details ? remark(waiting.length, details.moreWaiting, 'request', 'No request waits.') : '',
    );
  }
}

function remark(shown: number, more: number, noun: string, none: string): string {
  if (more > 0) return `and ${plural(more, `more ${noun}`)}`;
  return shown === 0 ? none : '';
}
