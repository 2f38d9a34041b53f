/** The figures at the top: each says one thing, large, and what belongs to it, small. */
import { element, setData, setText } from './dom.js';
import { count, duration, plural, rate, share } from './format.js';
import type { Model, Selection, Series } from './model.js';

interface Figure {
  readonly label: string;
  readonly hint: string;
  readonly read: (
    model: Model,
    selection: Selection,
    series: Series,
  ) => { value: string; note: string; isBad?: boolean };
}

const FIGURES: readonly Figure[] = [
  {
    label: 'Connections',
    hint: 'Connections that are not closed',
    read: (model, selection) => {
      const [connecting, active, idle, closing] = (['connecting', 'active', 'idle', 'closing'] as const).map(
        (field) => model.sum(selection, field),
      ) as [number, number, number, number];
      return {
        value: count(connecting + active + idle + closing),
        note: `${count(active)} active, ${count(idle)} idle`,
      };
    },
  },
  {
    label: 'Requests per second',
    hint: 'Requests in the last interval; and the share of all requests that were served on a connection that had served before',
    read: (model, selection, { requests }) => ({
      value: rate(requests.at(-1) ?? 0),
      note: `${share(model.sum(selection, 'reused'), model.sum(selection, 'requests'))} reused`,
    }),
  },
  {
    label: 'Waiting',
    hint: 'Requests that wait for a connection now; and all that had to wait so far',
    read: (model, selection) => {
      const waiting = model.sum(selection, 'waiting');
      const queued = model.selected(selection).reduce((sum, agent) => sum + agent.queued, 0);
      return { value: count(waiting), note: `${count(queued)} waited so far`, isBad: waiting > 0 };
    },
  },
  {
    label: 'Time in queue, p99',
    hint: 'Of the requests that had to wait, 99 in 100 waited no longer',
    read: (model, selection) => {
      const { count: waits, p50, p99 } = model.times(selection, 'timeInQueue');
      return waits === 0
        ? { value: '–', note: 'no request has waited' }
        : { value: duration(p99), note: `${duration(p50)} in the median` };
    },
  },
  {
    label: 'Time to connect, p99',
    hint: 'From the start of a dial until the connection is ready; and how many handshakes resumed a TLS session',
    read: (model, selection) => {
      const { count: dials, p99 } = model.times(selection, 'connectTime');
      const resumed = model.sum(selection, 'resumed');
      return dials === 0
        ? { value: '–', note: 'nothing was opened' }
        : {
            value: duration(p99),
            note: `${share(resumed, resumed + model.sum(selection, 'full'))} resumed`,
          };
    },
  },
  {
    label: 'Failed and refused',
    hint: 'Connections that could not be opened, and requests that were not allowed to wait, or to wait longer; and requests that were sent again',
    read: (model, selection) => {
      const total = (name: 'failed' | 'refused'): number =>
        model.tally(selection, name).reduce((sum, kind) => sum + kind.total, 0);
      const recent = [...model.tally(selection, 'failed'), ...model.tally(selection, 'refused')].some(
        (kind) => kind.recent > 0,
      );
      const replayed = model.selected(selection).reduce((sum, agent) => sum + agent.replayed, 0);
      return {
        value: count(total('failed') + total('refused')),
        note: plural(replayed, 'replay'),
        isBad: recent,
      };
    },
  },
];

export class Tiles {
  readonly #tiles: { figure: Figure; node: HTMLElement; value: HTMLElement; note: HTMLElement }[];

  constructor(place: HTMLElement) {
    this.#tiles = FIGURES.map((figure) => {
      const value = element('strong');
      const note = element('small');
      const node = element(
        'div',
        { className: 'card tile', title: figure.hint },
        element('span', {}, figure.label),
        value,
        note,
      );
      return { figure, node, value, note };
    });
    place.append(...this.#tiles.map(({ node }) => node));
  }

  show(model: Model, selection: Selection, series: Series): void {
    for (const { figure, node, value, note } of this.#tiles) {
      const read = figure.read(model, selection, series);
      setText(value, read.value);
      setText(note, read.note);
      setData(node, 'bad', String(read.isBad ?? false));
    }
  }
}
