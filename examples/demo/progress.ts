/** Shows that the demo is alive, on stderr: a line that rewrites itself on a terminal, a line for each phase elsewhere. */
import { WIDTH } from './layout.js';

const BAR = 24;
/** Milliseconds between two updates. */
const INTERVAL = 100;

export class Progress {
  readonly #out: NodeJS.WriteStream;
  readonly #started = performance.now();
  readonly #time: number;
  readonly #timer: NodeJS.Timeout | undefined;
  #phase = '';
  #agent = '';

  /** @param time milliseconds that it will take */
  constructor(time: number, out: NodeJS.WriteStream = process.stderr) {
    this.#out = out;
    this.#time = time;
    if (out.isTTY) this.#timer = setInterval(() => this.#show(), INTERVAL).unref();
  }

  phase(name: string): void {
    this.#phase = name;
    if (!this.#out.isTTY) this.#out.write(`${name} …\n`);
  }

  agent(name: string): void {
    this.#agent = name;
    this.#show();
  }

  /** Leaves the terminal as it was found. */
  clear(): void {
    if (this.#out.isTTY) this.#out.write('\r\x1b[K');
  }

  end(): void {
    clearInterval(this.#timer);
    this.clear();
  }

  #show(): void {
    if (!this.#out.isTTY) return;
    const share = Math.min(1, (performance.now() - this.#started) / this.#time);
    const bar = '█'.repeat(Math.round(share * BAR)).padEnd(BAR, '░');
    const percent = `${Math.round(share * 100)} %`.padStart(5);
    const width = Math.min(WIDTH, this.#out.columns || WIDTH) - 1;
    this.#out.write(`\r\x1b[K${`${bar} ${percent}  ${this.#phase}: ${this.#agent}`.slice(0, width)}`);
  }
}
