/**
 * An intrusive doubly linked list: every operation is O(1), and moving a member allocates nothing, because
 * the links live in a `Link` that the member owns for its whole life. A member that can be in two lists at
 * once owns two links.
 */
export class Link<T> {
  readonly value: T;
  list: List<T> | undefined = undefined;
  prev: Link<T> | undefined = undefined;
  next: Link<T> | undefined = undefined;

  constructor(value: T) {
    this.value = value;
  }
}

export class List<T> {
  head: Link<T> | undefined = undefined;
  tail: Link<T> | undefined = undefined;
  size = 0;

  push(link: Link<T>): void {
    link.list = this;
    link.prev = this.tail;
    if (this.tail) this.tail.next = link;
    else this.head = link;
    this.tail = link;
    this.size++;
  }

  unshift(link: Link<T>): void {
    link.list = this;
    link.next = this.head;
    if (this.head) this.head.prev = link;
    else this.tail = link;
    this.head = link;
    this.size++;
  }

  /** Takes `link` out. A link that is in no list, or in another one, is left alone. */
  remove(link: Link<T>): boolean {
    if (link.list !== this) return false;
    if (link.prev) link.prev.next = link.next;
    else this.head = link.next;
    if (link.next) link.next.prev = link.prev;
    else this.tail = link.prev;
    link.list = link.prev = link.next = undefined;
    this.size--;
    return true;
  }

  shift(): T | undefined {
    const link = this.head;
    if (!link) return undefined;
    this.remove(link);
    return link.value;
  }

  /** In order, head first. The member just yielded may be removed during the walk. */
  *[Symbol.iterator](): Generator<T, void, undefined> {
    let link = this.head;
    while (link) {
      const { next } = link;
      yield link.value;
      link = next;
    }
  }
}
