/**
 * Takes a sample of each agent once an interval, and sends it to readers, as long as the inspector is in use. It keeps neither the process alive nor an
 * inspector that is not referenced any more.
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AgentStats } from '../index.js';
import { monotonicNow, setTimeout, wallClockNow } from '../telemetry/clocks.js';
import type { AgentList, Named } from './agents.js';
import { detailsOf } from './details.js';
import type { AgentFrame, Hello, Sample } from './feed.js';
import { frameOf, sampleOf } from './frames.js';
import { History } from './history.js';
import { Reader } from './reader.js';
import type { Opened } from './reader.js';

interface WatchOptions {
  readonly title: string;
  /** Milliseconds. */
  readonly interval: number;
  readonly history: number;
}

/** The number of readers at a time: each is sent some kilobytes a second. */
export const MAX_READERS = 32;

export class Watch {
  readonly #agents: AgentList;
  readonly #options: WatchOptions;
  readonly #history: History;
  readonly #readers: Set<Reader> = new Set();
  /** Distinguishes event ids of this process from those of another one. */
  readonly #process = randomBytes(6).toString('hex');
  #tick = 0;
  /** The samples of the last tick, by id. */
  #samples: Map<number, Sample> = new Map();
  #isEnded = false;
  #hasComplained = false;

  constructor(agents: AgentList, options: WatchOptions) {
    this.#agents = agents;
    this.#options = options;
    this.#history = new History(Math.ceil(options.history / options.interval));
    this.#look();
    lookLater(new WeakRef(this), options.interval);
  }

  /** Takes the samples. Returns the milliseconds until the next time; `undefined`: never. */
  look(): number | undefined {
    if (this.#isEnded) return undefined;
    const began = monotonicNow();
    this.#look();
    // If sampling takes long, the program still gets most of the time.
    return Math.max(this.#options.interval, 10 * (monotonicNow() - began));
  }

  #look(): void {
    const tick = ++this.#tick;
    const at = wallClockNow();
    const now = monotonicNow();
    const ready = [...this.#readers].filter((reader) => reader.check(now));
    const samples = new Map<number, Sample>();
    const frames: AgentFrame[] = [];
    const named = this.#all();
    const isRead = ready.length > 0;
    for (const one of named) {
      const made = this.#ask(one, isRead, (stats) => {
        const sample = sampleOf(stats, at);
        return { sample, frame: isRead ? frameOf(one, stats, sample) : undefined };
      });
      if (!made) continue;
      samples.set(one.id, made.sample);
      this.#history.add(one.id, tick, made.sample);
      if (made.frame) frames.push(made.frame);
    }
    this.#samples = samples;
    this.#history.keep(new Set(samples.keys()));
    const text = JSON.stringify(frames);
    for (const reader of ready) this.#send(reader, named, text);
  }

  /** Whether `end` was called. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** @returns whether there is room for one more reader */
  get hasRoom(): boolean {
    return this.#readers.size < MAX_READERS;
  }

  /** Makes `res` a stream of events for a reader. */
  join(req: IncomingMessage, res: ServerResponse, opened: Opened | undefined, after: string): void {
    // A reader that has left already emits no 'close'.
    if (res.destroyed) return;
    const reader = new Reader(res, opened);
    this.#readers.add(reader);
    const leave = (): void => {
      this.#readers.delete(reader);
    };
    res.on('close', leave);
    // A reader that breaks off is no error.
    res.on('error', leave);
    req.on('error', leave);
    const { title, interval, history: window } = this.#options;
    const hello: Hello = {
      title,
      pid: process.pid,
      node: process.versions.node,
      interval,
      window,
      history: this.#history.after(this.#tickOf(after)),
    };
    reader.send('hello', this.#id, JSON.stringify(hello));
    const named = this.#all();
    const at = wallClockNow();
    const frames = named.flatMap((one) => {
      const frame = this.#ask(one, true, (stats) =>
        // Rates are those of whole intervals: the sample is that of the last tick.
        frameOf(one, stats, this.#samples.get(one.id) ?? sampleOf(stats, at)),
      );
      return frame ? [frame] : [];
    });
    this.#send(reader, named, JSON.stringify(frames));
  }

  end(): void {
    this.#isEnded = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  get #id(): string {
    return `${this.#process}-${this.#tick}`;
  }

  /** The tick of this process that an event id names. 0: none. */
  #tickOf(id: string): number {
    const [process, tick] = id.split('-');
    return process === this.#process && tick !== undefined && /^\d{1,15}$/.test(tick) ? Number(tick) : 0;
  }

  #send(reader: Reader, named: readonly Named[], frames: string): void {
    const { opened } = reader;
    const agent = opened && named.find(({ id }) => id === opened.agent)?.agent;
    const details = agent ? `,"details":${JSON.stringify(detailsOf(agent, opened))}` : '';
    reader.send('frame', this.#id, `{"agents":${frames}${details}}`);
  }

  /** If the list of agents throws, no agent is shown, and the program goes on. */
  #all(): Named[] {
    try {
      return this.#agents.all();
    } catch (error) {
      this.#complain('function that lists agents', error);
      return [];
    }
  }

  /** What `make` makes of an agent's statistics. If the agent throws, or its statistics are incomplete, the others are still shown. */
  #ask<T>({ agent }: Named, hosts: boolean, make: (stats: AgentStats) => T): T | undefined {
    try {
      return make(agent.stats({ hosts }));
    } catch (error) {
      this.#complain("agent's stats()", error);
      return undefined;
    }
  }

  /** Warns once. */
  #complain(about: string, error: unknown): void {
    if (this.#hasComplained) return;
    this.#hasComplained = true;
    const reason = error instanceof Error ? error.message : 'the value thrown is no error';
    process.emitWarning(`The inspector's ${about} failed: ${reason}`, { code: 'POOLING_AGENT_INSPECT' });
  }
}

function lookLater(watch: WeakRef<Watch>, delay: number): void {
  const timer = setTimeout(lookAgain, delay, watch);
  timer.unref();
}

function lookAgain(watch: WeakRef<Watch>): void {
  const delay = watch.deref()?.look();
  if (delay !== undefined) lookLater(watch, delay);
}
