/**
 * The parts that belong to a pool, and not to one of its agents: all that looks at every connection or every waiting request, and whatever runs by a timer. Most pools have one agent; `createAgents`
 * makes two over one pool.
 */
import { Lifetimes } from '../lifetimes/lifetimes.js';
import { runOnOwnStack } from '../node/foreign.js';
import { TurnAlarm } from '../node/turn-alarm.js';
import type { ResolvedOptions } from '../options/options.js';
import type { Driver } from '../pool/driver.js';
import { Pool } from '../pool/pool.js';
import type { Section } from '../pool/records.js';
import { QueueTimer } from '../requests/queue-timer.js';
import type { DrivenAgent } from './driven-agent.js';
import type { Host } from './hosts.js';
import { NamedDials } from './dials/named-dials.js';
import type { Observer } from './observer.js';
import type { AgentKinds } from './pooled-socket.js';
import { loadFollowedNames, loadStallWatch } from './late.js';
import { LateRecovery } from './losses/late-recovery.js';
import type { StallWatch } from './losses/stall-watch.js';
import { WaitWatch } from './wait-watch.js';

/** The parts of one agent. */
interface Member {
  readonly agent: DrivenAgent;
  /** The hosts that are its own. `undefined`: all. */
  readonly section: Section | undefined;
  readonly waiting: { turnEnded(): void };
}

export class Common {
  readonly pool: Pool<AgentKinds>;
  readonly lifetimes: Lifetimes<AgentKinds>;
  readonly names: NamedDials | undefined;
  /** Set only with `socketTimeout` or `leakDetectionThreshold`. */
  readonly stalls: StallWatch | undefined = undefined;
  readonly queueTimer: QueueTimer;
  readonly waitWatch: WaitWatch;
  /** Hot path. The event loop has polled. */
  readonly endOfTurn: TurnAlarm = new TurnAlarm(() => this.#turn());
  readonly #members: Member[] = [];

  constructor(driver: Driver<AgentKinds>, resolved: ResolvedOptions, observer: Observer) {
    const pool = new Pool<AgentKinds>(driver, resolved.limits);
    this.pool = pool;
    observer.attach(pool);
    this.lifetimes = new Lifetimes((host) => this.#agentOf(host), pool, resolved.durations);
    const recovery = new LateRecovery(pool);
    if (resolved.socketTimeout > 0 || resolved.leakDetectionThreshold > 0) {
      const { StallWatch: Watch } = loadStallWatch();
      this.stalls = new Watch(pool, resolved);
    }
    this.queueTimer = new QueueTimer(pool);
    this.waitWatch = new WaitWatch(
      () => pool.hasUndialled,
      () => recovery.look(),
    );
    const { dns } = resolved;
    this.names = dns && new NamedDials(pool, dns, () => this.lifetimes.now(), loadFollowedNames);
  }

  join(member: Member): void {
    this.#members.push(member);
  }

  /** Nothing of `section` is open any more. */
  stop(section: Section | undefined): void {
    if (section && section.size < this.pool.hosts.size) return;
    this.lifetimes.stop();
    this.names?.stop();
  }

  #turn(): void {
    runOnOwnStack(() => this.pool.turn());
    for (const { waiting } of this.#members) waiting.turnEnded();
  }

  /** Hot path. */
  #agentOf({ section }: Host): DrivenAgent {
    const members = this.#members;
    const member = section ? members.find((one) => one.section === section) : members[0];
    return (member as Member).agent;
  }
}
