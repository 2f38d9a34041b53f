/** The least that resuming sessions takes, for the floors: one host, no expiry, no bound. */
export class Tickets {
  readonly #tickets: Buffer[] = [];

  add(ticket: Buffer): void {
    this.#tickets.push(ticket);
  }

  /** The newest, each once while another is left: Node's servers send none on a connection that resumes. */
  take(): Buffer | undefined {
    return this.#tickets.length > 1 ? this.#tickets.pop() : this.#tickets[0];
  }
}
