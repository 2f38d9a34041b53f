/** A pool that two agents share, from before the first of them is made: what the first one finds in its options holds for both. */
import type { ResolvedOptions } from '../options/options.js';
import { Common } from './common.js';
import type { Observer } from './observer.js';
import { SharedDriver } from './shared-driver.js';

/** The options that both have as one: a change of any of them is a change for both. */
type Settled = Pick<ResolvedOptions, 'durations' | 'limits' | 'rules'>;

/** An agent of the pool, which hears of changes that were made by the other one. */
interface Sharer {
  limitsOrRulesChanged(which: 'limits' | 'rules'): void;
}

export class Sharing {
  readonly driver: SharedDriver = new SharedDriver();
  readonly sharers: Sharer[] = [];
  #settled: Settled | undefined;
  #observer: Observer | undefined;
  #common: Common | undefined;

  /** The options of one of the agents: from now on with those that both have as one. */
  settle(resolved: ResolvedOptions): ResolvedOptions {
    const { durations, limits, rules } = (this.#settled ??= resolved);
    return { ...resolved, durations, limits, rules };
  }

  observer(make: () => Observer): Observer {
    return (this.#observer ??= make());
  }

  common(resolved: ResolvedOptions, observer: Observer): Common {
    return (this.#common ??= new Common(this.driver, resolved, observer));
  }
}
