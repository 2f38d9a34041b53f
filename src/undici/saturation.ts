/**
 * The hosts for which requests wait, by the agent's events 'saturated' and 'drained'. A dispatcher passes that on by the result of `dispatch`, and by its
 * event 'drain'.
 */
import type { Agent } from 'node:http';
import type { QueueState } from '../index.js';
import { isolate } from './isolate.js';

type OnDrained = (agent: Agent, host: string) => void;

/** The saturated hosts of one agent. All dispatchers over it share this, because programs may make one for each request. */
class Watch {
  /** As `host:port`. */
  readonly hosts = new Set<string>();
  readonly agent: Agent;
  /** The dispatchers that want to hear when a host is drained. The others are only counted, so that they can be collected as garbage. */
  readonly #waiting = new Map<string, Set<OnDrained>>();
  #users = 0;

  constructor(agent: Agent) {
    this.agent = agent;
  }

  /** These events cost the agent nothing while they have no listener. */
  join(): void {
    this.#users++;
    if (this.#users > 1) return;
    this.agent.on('saturated', this.#onSaturated);
    this.agent.on('drained', this.#onAgentDrained);
  }

  leave(onDrained: OnDrained): void {
    for (const waiting of this.#waiting.values()) waiting.delete(onDrained);
    this.#users--;
    if (this.#users > 0) return;
    this.hosts.clear();
    this.#waiting.clear();
    this.agent.removeListener('saturated', this.#onSaturated);
    this.agent.removeListener('drained', this.#onAgentDrained);
  }

  await(host: string, onDrained: OnDrained): void {
    let waiting = this.#waiting.get(host);
    if (!waiting) this.#waiting.set(host, (waiting = new Set()));
    waiting.add(onDrained);
  }

  readonly #onSaturated = ({ host }: QueueState): void => {
    this.hosts.add(host);
  };

  readonly #onAgentDrained = ({ host }: QueueState): void => {
    this.hosts.delete(host);
    const waiting = this.#waiting.get(host);
    this.#waiting.delete(host);
    for (const onDrained of waiting ?? []) isolate(() => onDrained(this.agent, host));
  };
}

const watches = new WeakMap<Agent, Watch>();

function watchOf(agent: Agent): Watch {
  let watch = watches.get(agent);
  if (!watch) watches.set(agent, (watch = new Watch(agent)));
  return watch;
}

/** The same for the agents of one dispatcher. */
export class Saturation {
  readonly #watches: readonly Watch[];
  readonly #onDrained: OnDrained;
  #isListening = false;

  constructor(agents: readonly Agent[], onDrained: OnDrained) {
    this.#watches = agents.map(watchOf);
    this.#onDrained = onDrained;
  }

  /** Hot path. Listens from the first request on. */
  listen(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    for (const watch of this.#watches) watch.join();
  }

  /** Hot path. Whether requests of `agent` to `host` have to wait. If so, the dispatcher hears when they do no more. */
  mustWait(agent: Agent, host: string): boolean {
    for (const watch of this.#watches) {
      if (watch.hosts.size > 0 && watch.agent === agent && watch.hosts.has(host)) {
        watch.await(host, this.#onDrained);
        return true;
      }
    }
    return false;
  }

  stop(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    for (const watch of this.#watches) watch.leave(this.#onDrained);
  }
}
