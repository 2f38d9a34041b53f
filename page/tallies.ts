/** Why connections were closed, dials failed and requests were refused: bars, the most frequent at the top. */
import { element, setText } from './dom.js';
import { count } from './format.js';
import type { Model, Selection } from './model.js';

const GROUPS = [
  { name: 'closes', title: 'Closed, by reason', hint: 'Connections that were closed', color: '--closing' },
  { name: 'failed', title: 'Failed, by phase', hint: 'Connections that could not be opened', color: '--bad' },
  {
    name: 'refused',
    title: 'Refused, by limit',
    hint: 'Requests that were not allowed to wait, or to wait longer',
    color: '--waiting',
  },
] as const;

type Entry = ReturnType<Model['tally']>[number];

export class Tallies {
  readonly node: HTMLElement;
  readonly #groups: { name: (typeof GROUPS)[number]['name']; node: HTMLElement; list: HTMLElement }[];

  constructor() {
    this.#groups = GROUPS.map(({ name, title, hint, color }) => {
      const list = element('ul', { className: 'bars' });
      list.style.setProperty('--bar', `var(${color})`);
      return { name, list, node: element('div', { title: hint }, element('h2', {}, title), list) };
    });
    this.node = element('div', { className: 'card tallies' }, ...this.#groups.map(({ node }) => node));
  }

  show(model: Model, selection: Selection): void {
    for (const { name, list, node } of this.#groups) {
      const entries = model.tally(selection, name);
      // An event that never happened takes no room.
      node.hidden = entries.length === 0 && name !== 'closes';
      while (list.children.length > Math.max(1, entries.length)) list.lastChild?.remove();
      if (entries.length === 0) {
        list.replaceChildren(element('li', { className: 'none' }, 'None so far'));
        continue;
      }
      const most = Math.max(...entries.map(({ total }) => total));
      for (const [index, entry] of entries.entries()) {
        const known = list.children[index];
        const line = known instanceof HTMLElement && known.className === '' ? known : bar();
        if (line !== known) {
          if (known) known.replaceWith(line);
          else list.append(line);
        }
        fill(line, entry, most);
      }
    }
  }
}

function bar(): HTMLElement {
  return element('li', {}, element('span'), element('em'), element('b'), element('i'));
}

function fill(line: HTMLElement, { kind, total, recent }: Entry, most: number): void {
  const [name, new_, all, rod] = [...line.children] as [HTMLElement, HTMLElement, HTMLElement, HTMLElement];
  setText(name, kind);
  setText(new_, recent > 0 ? `+${count(recent)} in the last minute` : '');
  setText(all, count(total));
  rod.style.width = `${(100 * total) / most}%`;
}
