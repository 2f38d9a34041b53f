/** The things behind a host: its connections, and the requests that wait, with the reason. */
import type { ConnectionRow, HostDetails, WaitingRow } from '../src/inspect/feed.js';
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
    hint: 'What the connection is doing',
    value: ({ state }) => state,
    paint: (cell, { state }) => {
      setText(cell, state);
      cell.dataset['state'] = state;
    },
  },
  {
    key: 'address',
    label: 'Address',
    hint: 'The other side',
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
    hint: 'Since it was opened',
    value: ({ age }) => age,
    text: ({ age }) => duration(age),
  },
  {
    key: 'requests',
    label: 'Requests',
    hint: 'Requests that it has served, or serves',
    value: ({ requests }) => requests,
    text: ({ requests }) => count(requests),
  },
  {
    key: 'idle',
    label: 'Idle for',
    hint: 'Since it became free',
    value: ({ idleFor }) => idleFor,
    text: ({ idleFor }) => duration(idleFor),
  },
  {
    key: 'learned',
    label: 'Server’s limit',
    hint: 'For how long its server was seen to keep idle connections, if it was: they are used for less than that',
    value: ({ learnedIdle }) => learnedIdle,
    text: ({ learnedIdle }) => duration(learnedIdle),
    hides: 'narrow',
  },
];

/** The meaning of each reason. A reason without a line here is shown as it is. */
const REASONS: Readonly<Record<string, string>> = {
  maxSockets: 'its host has all the connections that it may have',
  maxTotalSockets: 'the agent has all the connections that it may have',
  reserved: 'the places that are left are reserved for other hosts',
  paused: 'its host may have no connection',
  pacing: 'a connection is opened at the end of this turn',
  validating: 'a connection is on its way to it',
  connecting: 'a connection is being opened',
};

const WAITING: readonly Column<WaitingRow>[] = [
  {
    key: 'place',
    label: 'No.',
    hint: 'Which one it is among those that wait',
    value: ({ place }) => place,
    text: ({ place }) => String(place),
  },
  {
    key: 'reason',
    label: 'Waits because',
    hint: 'What it waits for',
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
    hint: 'How long it has waited so far',
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
  readonly #noConnections = element('p', { className: 'none' });
  readonly #noWaiting = element('p', { className: 'none' });

  constructor() {
    this.node = element(
      'div',
      { className: 'details' },
      element('div', {}, this.#connections.node, this.#noConnections),
      element('div', {}, this.#waiting.node, this.#noWaiting),
    );
  }

  show(details: HostDetails | undefined): void {
    const connections = details?.connections ?? [];
    const waiting = details?.waiting ?? [];
    this.#connections.show(connections);
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
