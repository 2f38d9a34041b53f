/** Sends requests over an agent for a while, and keeps the books. The same code for every agent. */
import { request } from 'node:https';
import type { Agent } from 'node:https';
import type { Method, Outcomes } from './outcomes.js';

export interface Shot {
  readonly host: string;
  readonly port: number;
  /** Default: GET. A POST carries a little JSON. */
  readonly method?: Method;
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** The work of one agent in one of its turns. */
export interface Sample {
  /** Milliseconds from the call of `request()` to the end of the body, of each request with the right answer. */
  readonly latencies: readonly number[];
  /** Milliseconds from the first request to the end of the last. */
  readonly elapsed: number;
  /** CPU time of this process, user and system, in microseconds. */
  readonly cpu: number;
}

/** When no request has ended for so long, in milliseconds, those still under way are lost. It bounds each turn, and so the time of the demo. */
const PATIENCE = 2000;
/** Milliseconds between two looks at that. */
const LOOK_EVERY = 250;
const BODY = '{"id":1}';

let tag = 0;

export class Load {
  readonly #agent: Agent;
  readonly #until: number;
  readonly #outcomes: Outcomes;
  readonly #latencies: number[] = [];
  #pending = 0;
  #ended = 0;
  /** Requests that end from now on were counted as without an end. */
  #closed = false;

  /** @param ms for how long requests begin; those that have begun are waited for */
  constructor(agent: Agent, outcomes: Outcomes, ms: number) {
    this.#agent = agent;
    this.#outcomes = outcomes;
    this.#until = performance.now() + ms;
  }

  get over(): boolean {
    return this.#closed || performance.now() >= this.#until;
  }

  /** Resolves when the request has ended, in whatever way. */
  async send({ host, port, method = 'GET', headers = {} }: Shot): Promise<void> {
    const id = `${host}/${tag++}`;
    const begun = performance.now();
    this.#outcomes.sent[method]++;
    this.#pending++;
    const end = await exchange(this.#agent, { host, port, method, headers, id });
    if (this.#closed) return;
    this.#pending--;
    this.#ended++;
    if (end === id) {
      this.#outcomes.answered++;
      this.#latencies.push(performance.now() - begun);
    } else if (typeof end === 'string') this.#outcomes.astray++;
    else if (end.code === 'ECONNRESET') this.#outcomes.resets[method]++;
    else this.#outcomes.otherErrors[method]++;
  }

  /** Does `work`, which sends requests, to its end, or until nothing happens any more. */
  async run(work: (load: Load) => Promise<unknown>): Promise<Sample> {
    const cpu = process.cpuUsage();
    const started = performance.now();
    await untilStalled(work(this), () => this.#ended);
    const elapsed = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    this.#closed = true;
    this.#outcomes.unended += this.#pending;
    return { latencies: this.#latencies, elapsed, cpu: user + system };
  }
}

/** @returns the tag of the answer, or the error */
function exchange(
  agent: Agent,
  { id, ...options }: Required<Shot> & { readonly id: string },
): Promise<string | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const req = request({ ...options, agent, path: `/${id}` }, (res) => {
      res.on('end', () => resolve(String(res.headers['x-tag'])));
      res.on('error', resolve);
      res.resume();
    });
    req.on('error', resolve);
    req.end(options.method === 'POST' ? BODY : undefined);
  });
}

/** Waits for `work`, but not longer than it makes progress. */
async function untilStalled(work: Promise<unknown>, progress: () => number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let before = -1;
  let looks = 0;
  const stalled = new Promise<void>((resolve) => {
    // By looks, and not by a clock: a machine that stood still itself has not waited for anything.
    timer = setInterval(() => {
      looks = progress() === before ? looks + 1 : 0;
      before = progress();
      if (looks * LOOK_EVERY >= PATIENCE) resolve();
    }, LOOK_EVERY);
  });
  await Promise.race([work, stalled]);
  clearInterval(timer);
}
