/** Unique names for agents that are reported together. A name that is free again may be given to another agent. */
export class Names {
  readonly #taken: Set<string> = new Set();

  /** `name`, or `name-2` if another has that. An agent without a name is `agent`. */
  claim(name: string | undefined): string {
    const wanted = name || 'agent';
    let claimed = wanted;
    for (let number = 2; this.#taken.has(claimed); number++) claimed = `${wanted}-${number}`;
    this.#taken.add(claimed);
    return claimed;
  }

  release(name: string): void {
    this.#taken.delete(name);
  }
}
