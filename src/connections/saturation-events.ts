/** Emits the agent's events 'saturated' and 'drained', and tells the observer, where anything listens to them. */
import { queueState, Saturation } from '../limits/saturation.js';
import { monotonicNow, nextTick } from '../node/timers.js';
import type { DrivenAgent } from './driven-agent.js';
import type { Host } from './hosts.js';
import type { Observer } from './observer.js';

export class SaturationEvents {
  readonly #agent: DrivenAgent;
  readonly #observer: Observer;
  readonly #saturation = new Saturation();

  constructor(agent: DrivenAgent, observer: Observer) {
    this.#agent = agent;
    this.#observer = observer;
  }

  saturated(host: Host): void {
    if (!this.#isHeard) return;
    if (this.#saturation.begin(keyOf(host), monotonicNow())) this.#tell('saturated', host);
  }

  drained(host: Host): void {
    if (this.#isHeard && this.#saturation.end(keyOf(host))) this.#tell('drained', host);
  }

  get #isHeard(): boolean {
    const agent = this.#agent;
    const isHeard = agent.listenerCount('saturated') > 0 || agent.listenerCount('drained') > 0;
    return isHeard || this.#observer.hearsOfSaturation;
  }

  /** The agent's listeners are called later, when the pool is at rest: they may do anything. */
  #tell(event: 'saturated' | 'drained', host: Host): void {
    const state = queueState(host);
    this.#observer[event](host, state);
    nextTick(() => this.#agent.emit(event, state));
  }
}

/** The key is the same for a host that was forgotten meanwhile and has come back. */
function keyOf({ origin }: Host): string {
  return `${origin.profile.id} ${origin.key}`;
}
