/**
 * A table whose rows stay the same elements while their numbers change, so that readers can select text, follow a row with their eyes, and keep
 * the keyboard's focus. Its order follows the numbers, except while the pointer moves over the rows: nothing moves away from below it.
 */
import { element, setData, setText } from './dom.js';

export interface Column<R> {
  readonly key: string;
  readonly label: string;
  /** The exact meaning of the count: shown as a tooltip. */
  readonly hint: string;
  /** The value that rows are ordered by. Numbers stand at the right, and come the largest first. */
  readonly value: (row: R) => number | string;
  /** The content of the cell: a text, or more than that. */
  readonly text?: (row: R) => string;
  readonly paint?: (cell: HTMLElement, row: R) => void;
  /** Other numbers than 0 stand out. */
  readonly isAlarm?: boolean;
  /** The width below which it is left out: 1,000 or 640 pixels. */
  readonly hides?: 'medium' | 'narrow';
}

interface Row<R> {
  readonly node: HTMLTableRowElement;
  readonly cells: readonly HTMLElement[];
  /** A row beneath it, over the whole width. */
  below: HTMLTableRowElement | undefined;
  data: R;
}

interface Order {
  readonly key: string;
  readonly isDescending: boolean;
}

export class LiveTable<R> {
  readonly node: HTMLTableElement;
  readonly #columns: readonly Column<R>[];
  readonly #keyOf: (row: R) => string;
  readonly #body = element('tbody');
  readonly #heads: HTMLTableCellElement[];
  readonly #rows: Map<string, Row<R>> = new Map();
  #order: Order;
  /** When the pointer moved over the rows last. */
  #pointedAt = -Infinity;
  /** If there is one, the first cell of a row is a button. */
  #onToggle: ((row: R) => void) | undefined;

  constructor(caption: string, columns: readonly Column<R>[], keyOf: (row: R) => string, order: Order) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    this.#order = order;
    this.#heads = columns.map((column) => this.#head(column));
    this.node = element(
      'table',
      {},
      element('caption', {}, caption),
      element('thead', {}, element('tr', {}, ...this.#heads)),
      this.#body,
    );
    this.#body.addEventListener('pointermove', () => (this.#pointedAt = performance.now()));
    this.#body.addEventListener('pointerleave', () => (this.#pointedAt = -Infinity));
    this.#showOrder();
  }

  set onToggle(listener: (row: R) => void) {
    this.#onToggle = listener;
  }

  #head(column: Column<R>): HTMLTableCellElement {
    const button = element('button', { type: 'button', title: column.hint }, column.label);
    button.addEventListener('click', () => this.#orderBy(column));
    const head = element('th', { scope: 'col' }, button);
    head.dataset['key'] = column.key;
    if (column.hides) head.dataset['hides'] = column.hides;
    return head;
  }

  #orderBy({ key }: Column<R>): void {
    const isSame = this.#order.key === key;
    const first = [...this.#rows.values()][0]?.data;
    const column = this.#columns.find((candidate) => candidate.key === key);
    const isNumber = first !== undefined && typeof column?.value(first) === 'number';
    this.#order = { key, isDescending: isSame ? !this.#order.isDescending : isNumber };
    this.#showOrder();
    this.#arrange(this.#sorted([...this.#rows.values()].map(({ data }) => data)));
  }

  #showOrder(): void {
    for (const head of this.#heads) {
      if (head.dataset['key'] === this.#order.key)
        head.setAttribute('aria-sort', this.#order.isDescending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
  }

  /** In the order that the reader has chosen. */
  #sorted(rows: readonly R[]): R[] {
    const { key, isDescending } = this.#order;
    const column = this.#columns.find((candidate) => candidate.key === key) ?? this.#columns[0];
    if (!column) return [...rows];
    const sign = isDescending ? -1 : 1;
    return rows.toSorted((a, b) => {
      const [x, y] = [column.value(a), column.value(b)];
      const order = typeof x === 'number' && typeof y === 'number' ? x - y : compare(String(x), String(y));
      // Equal ones keep a place of their own.
      return sign * order || compare(this.#keyOf(a), this.#keyOf(b));
    });
  }

  /** @param most rows beyond are left out, the last ones in the reader's order */
  show(data: readonly R[], most = Infinity): void {
    const shown = this.#sorted(data).slice(0, most);
    const keys = new Set(shown.map(this.#keyOf));
    let isChanged = false;
    for (const [key, { node, below }] of this.#rows) {
      if (keys.has(key)) continue;
      node.remove();
      below?.remove();
      this.#rows.delete(key);
    }
    for (const row of shown) {
      const key = this.#keyOf(row);
      let known = this.#rows.get(key);
      if (!known) {
        known = this.#make(row);
        this.#rows.set(key, known);
        isChanged = true;
      }
      known.data = row;
      this.#fill(known);
    }
    if (isChanged || performance.now() - this.#pointedAt > STILL) this.#arrange(shown);
  }

  #arrange(rows: readonly R[]): void {
    let next: Element | null = this.#body.firstElementChild;
    for (const row of rows) {
      const known = this.#rows.get(this.#keyOf(row));
      if (!known) continue;
      for (const node of known.below ? [known.node, known.below] : [known.node]) {
        if (node === next) next = next.nextElementSibling;
        else this.#body.insertBefore(node, next);
      }
    }
  }

  #make(data: R): Row<R> {
    const cells: HTMLElement[] = [];
    const node = element('tr');
    for (const [index, column] of this.#columns.entries()) {
      const cell = element(index === 0 ? 'th' : 'td');
      if (cell.tagName === 'TH') cell.setAttribute('scope', 'row');
      if (typeof column.value(data) === 'number') {
        cell.className = 'number';
        this.#heads[index]?.setAttribute('data-numeric', '');
      }
      cell.dataset['key'] = column.key;
      if (column.hides) cell.dataset['hides'] = column.hides;
      if (index === 0 && this.#onToggle) {
        const button = element('button', { type: 'button', className: 'toggle' });
        button.setAttribute('aria-expanded', 'false');
        cell.append(button);
        cells.push(button);
      } else cells.push(cell);
      node.append(cell);
    }
    const row: Row<R> = { node, cells, below: undefined, data };
    if (this.#onToggle) {
      node.className = 'toggles';
      node.addEventListener('click', () => {
        // A reader who selects text wants no toggle.
        if (getSelection()?.isCollapsed !== false) this.#onToggle?.(row.data);
      });
    }
    return row;
  }

  #fill({ cells, data }: Row<R>): void {
    for (const [index, column] of this.#columns.entries()) {
      const cell = cells[index];
      if (!cell) continue;
      column.paint?.(cell, data);
      if (!column.text) continue;
      const text = column.text(data);
      setText(cell, text);
      const isZero = text === '0' || text === '–';
      setData(cell, 'zero', String(isZero));
      if (column.isAlarm) setData(cell, 'alarm', String(!isZero));
    }
  }

  /** Shows `content` beneath the row, and beneath no other. */
  open(key: string | undefined, content: HTMLElement): void {
    for (const [other, row] of this.#rows) {
      const isOpen = other === key;
      row.cells[0]?.setAttribute('aria-expanded', String(isOpen));
      if (!isOpen) {
        row.below?.remove();
        row.below = undefined;
      } else if (!row.below) {
        row.below = element(
          'tr',
          { className: 'below' },
          element('td', { colSpan: this.#columns.length }, content),
        );
        row.node.after(row.below);
      }
    }
  }

  has(key: string): boolean {
    return this.#rows.has(key);
  }
}

/** A pointer that has not moved for so long, in milliseconds, is about to do nothing. */
const STILL = 3000;

/** `a-9` comes before `a-10`. */
const { compare } = new Intl.Collator('en', { numeric: true });
