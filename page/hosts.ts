/** The table of hosts: one line for each, to be read at a glance. */
import { element, setData, setText } from './dom.js';
import { count, duration, plural, share } from './format.js';
import { LiveTable } from './live-table.js';
import type { Column } from './live-table.js';
import type { Host } from './model.js';

/** The state of a host, in the order of its urgency, and what its mark says. */
const STATES = {
  failing: 'Its last dials failed, and nothing is connected',
  waiting: 'Requests wait for a connection',
  busy: 'Connections are in use',
  idle: 'Connections are kept ready',
  quiet: 'Nothing is connected',
} as const;

function stateOf({ active, connecting, failed, idle, opened, waiting }: Host): keyof typeof STATES {
  if (active + idle === 0 && failed > 0 && (connecting > 0 || waiting > 0 || opened === failed))
    return 'failing';
  if (waiting > 0) return 'waiting';
  if (active + connecting > 0) return 'busy';
  return idle > 0 ? 'idle' : 'quiet';
}

function used({ connecting, active, idle, closing }: Host): number {
  return connecting + active + idle + closing;
}

function number(
  key: string,
  label: string,
  hint: string,
  value: (host: Host) => number,
  hides?: 'medium' | 'narrow',
): Column<Host> {
  return { key, label, hint, value, text: (host) => count(value(host)), ...(hides ? { hides } : {}) };
}

function columns(isShared: () => boolean): Column<Host>[] {
  return [
    {
      key: 'host',
      label: 'Host',
      hint: 'Host and port, with all its identities together',
      value: ({ name }) => name,
      paint: (cell, host) => {
        if (!cell.firstChild) {
          cell.append(
            element('i', { className: 'mark' }),
            element(
              'span',
              { className: 'names' },
              element('span', { className: 'name' }),
              element('small', { className: 'agent' }),
            ),
          );
        }
        const [mark, names] = [...cell.children] as [HTMLElement, HTMLElement];
        const [name, agent] = [...names.children] as [HTMLElement, HTMLElement];
        const state = stateOf(host);
        setData(mark, 'state', state);
        if (mark.title !== STATES[state]) mark.title = STATES[state];
        setText(name, host.name);
        if (name.title !== host.name) name.title = host.name;
        setText(agent, isShared() ? host.agent.name : '');
      },
    },
    number('active', 'Active', 'Connections in use', ({ active }) => active),
    number('idle', 'Idle', 'Connections that are free', ({ idle }) => idle),
    number(
      'connecting',
      'Opening',
      'Connections that are being opened',
      ({ connecting }) => connecting,
      'medium',
    ),
    {
      ...number('waiting', 'Waiting', 'Requests that wait for a connection', ({ waiting }) => waiting),
      isAlarm: true,
    },
    {
      key: 'limit',
      label: 'Limit',
      hint: 'Connections in use, free and being opened, of the maxSockets that the host may have',
      value: (host) => (host.maxSockets > 0 ? used(host) / host.maxSockets : 0),
      paint: (cell, host) => {
        if (!cell.firstChild)
          cell.append(
            element('span'),
            element('meter', { min: 0, max: 1, high: 0.99, low: 0.8, optimum: 0 }),
          );
        const [text, meter] = [...cell.children] as [HTMLElement, HTMLMeterElement];
        const isLimited = host.maxSockets >= 0;
        setText(text, isLimited ? `${count(used(host))} / ${count(host.maxSockets)}` : '∞');
        setData(cell, 'zero', String(!isLimited));
        const value = isLimited ? (host.maxSockets === 0 ? 1 : Math.min(1, used(host) / host.maxSockets)) : 0;
        if (meter.value !== value) meter.value = value;
        if (meter.hidden === isLimited) meter.hidden = !isLimited;
      },
      hides: 'narrow',
    },
    {
      key: 'p99',
      label: 'Queue p99',
      hint: 'Of the requests that had to wait, 99 in 100 waited no longer. Shown for the busiest hosts only',
      value: ({ p99 }) => p99,
      text: ({ p99 }) => duration(p99),
    },
    number('requests', 'Requests', 'Requests so far', ({ requests }) => requests, 'narrow'),
    {
      key: 'reused',
      label: 'Reused',
      hint: 'Requests on a connection that had served before',
      value: ({ requests, reused }) => (requests > 0 ? reused / requests : 0),
      text: ({ requests, reused }) => share(reused, requests),
      hides: 'narrow',
    },
    number('opened', 'Opened', 'Connections opened so far', ({ opened }) => opened, 'medium'),
    {
      key: 'resumed',
      label: 'Resumed',
      hint: 'Handshakes that resumed a TLS session',
      value: ({ full, resumed }) => (full + resumed > 0 ? resumed / (full + resumed) : 0),
      text: ({ full, resumed }) => share(resumed, full + resumed),
      hides: 'medium',
    },
    number(
      'replayed',
      'Replays',
      'Requests sent again, since their connection was lost',
      ({ replayed }) => replayed,
      'narrow',
    ),
    number('failed', 'Failed', 'Connections that could not be opened', ({ failed }) => failed, 'narrow'),
    number(
      'refused',
      'Refused',
      'Requests that were not allowed to wait, or to wait longer',
      ({ refused }) => refused,
      'medium',
    ),
  ];
}

/** More rows than this are shown only when they are asked for. */
const MOST = 100;

export class HostTable {
  readonly #table: LiveTable<Host>;
  readonly #count: HTMLElement;
  readonly #filter: HTMLInputElement;
  readonly #more: HTMLButtonElement;
  #isShared = false;
  #isWhole = false;
  #hosts: readonly Host[] = [];

  constructor(
    place: HTMLElement,
    total: HTMLElement,
    filter: HTMLInputElement,
    more: HTMLButtonElement,
    onToggle: (host: Host) => void,
  ) {
    this.#count = total;
    this.#filter = filter;
    this.#more = more;
    this.#table = new LiveTable(
      'Hosts',
      columns(() => this.#isShared),
      ({ key }) => key,
      { key: 'active', isDescending: true },
    );
    this.#table.onToggle = onToggle;
    place.append(this.#table.node);
    filter.addEventListener('input', () => this.#show());
    more.addEventListener('click', () => {
      this.#isWhole = !this.#isWhole;
      this.#show();
    });
  }

  /** @param isShared hosts of several agents stand side by side */
  show(hosts: readonly Host[], isShared: boolean): void {
    this.#hosts = hosts;
    this.#isShared = isShared;
    this.#show();
  }

  #show(): void {
    const wanted = this.#filter.value.trim().toLowerCase();
    const found = wanted === '' ? this.#hosts : this.#hosts.filter(({ name }) => name.includes(wanted));
    this.#table.show(found, this.#isWhole ? Infinity : MOST);
    const all = this.#hosts.length;
    setText(
      this.#count,
      wanted === '' ? (all === 0 ? '' : count(all)) : `${count(found.length)} of ${plural(all, 'host')}`,
    );
    const isLong = found.length > MOST;
    if (this.#more.hidden === isLong) this.#more.hidden = !isLong;
    setText(this.#more, this.#isWhole ? `Show the first ${MOST}` : `Show all ${count(found.length)}`);
  }

  open(key: string | undefined, content: HTMLElement): void {
    this.#table.open(key, content);
  }

  has(key: string): boolean {
    return this.#table.has(key);
  }
}
