/** Shows that the demo is alive: one line that rewrites itself on a terminal, a line now and then elsewhere. */
const BAR = 24;
/** Milliseconds between two updates. */
const ON_TERMINAL = 50;
const ELSEWHERE = 2000;

export class Progress {
  readonly #total: number;
  readonly #out: NodeJS.WriteStream;
  #done = 0;
  #shown = -Infinity;
  #doing = '';

  constructor(total: number, out: NodeJS.WriteStream = process.stdout) {
    this.#total = total;
    this.#out = out;
  }

  /** What follows is counted under this name. */
  doing(name: string): void {
    this.#doing = name;
    this.#show();
  }

  /** One more request has ended. */
  readonly tick = (): void => {
    this.#done++;
    this.#show();
  };

  /** Leaves the terminal as it was found. */
  end(): void {
    if (this.#out.isTTY) this.#out.write('\r\x1b[K');
  }

  #show(): void {
    const now = performance.now();
    if (now - this.#shown < (this.#out.isTTY ? ON_TERMINAL : ELSEWHERE)) return;
    this.#shown = now;
    const share = this.#done / this.#total;
    const count = `${this.#done} of ${this.#total} requests: ${this.#doing}`;
    if (this.#out.isTTY) {
      const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '.');
      this.#out.write(`\r\x1b[K[${bar}] ${count}`.slice(0, this.#out.columns));
    } else {
      this.#out.write(`${String(Math.round(share * 100)).padStart(3)} %  ${count}\n`);
    }
  }
}
