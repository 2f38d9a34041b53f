/** The shape of a case. The harness does the rounds and the tables; a case does the work, and judges the results. */
import type { ContenderName } from '../contenders/index.js';
import type { Client, ClientSettings, Contender } from '../contenders/contender.js';
import type { CaseResult, Sample } from '../results.js';
import type { Target } from '../network.js';
import type { Verdict } from '../verdict.js';

/** The amount of work: all of it, or just enough to see that the case works. */
export interface Scale {
  readonly quick: boolean;
  /** Hosts in the case `hosts`. */
  readonly hosts: number;
}

/** One variant of a case; goes to the client's process as JSON. */
export interface Setting {
  readonly name: string;
  /** Contenders that cannot do it. */
  readonly without?: readonly ContenderName[];
  /** Samples in a round, if not as many as the case takes otherwise. */
  readonly samples?: number;
}

interface Metric {
  /** Its name in the samples. */
  readonly key: string;
  readonly title: string;
  readonly digits: number;
}

export interface Effort {
  /** Each round has a new process for every contender. */
  readonly rounds: number;
  /** Samples of every contender in a round. */
  readonly samples: number;
  /** Samples before them that do not count. */
  readonly warmUps?: number;
}

/** A contender made ready for one setting, in its own process. */
export interface Subject {
  sample(): Promise<Sample> | Sample;
  close(): Promise<void> | void;
}

export interface Case<S extends Setting = Setting> {
  readonly name: string;
  readonly about: string;
  readonly contenders: readonly ContenderName[];
  /** Contenders that take part only if they are asked for by name. */
  readonly onRequest?: readonly ContenderName[];
  /** The first is the one that the table compares. */
  readonly metrics: readonly Metric[];
  /** Whether one server could not hold the connections of all contenders. */
  readonly ownServers?: boolean;
  /**
   * Whether all contenders prepare, and take each sample, at the same time instead of in turn: what slows the machine down then slows all. The runner adds `ratio` to their
   * samples, the `cpu` of each divided by that of the floor, and leaves out the counts of the servers, which do not know whose connections they see.
   */
  readonly together?: { readonly floor: ContenderName };
  /** Milliseconds for one sample; a contender that needs longer is stopped and shown as such. */
  readonly limit: number;

  effort(scale: Scale): Effort;
  settings(scale: Scale): readonly S[];
  /** In the client's process, once: lets V8 optimize what will be measured. */
  warmUp?(contender: Contender, target: Target): Promise<void> | void;
  /** In the client's process. `name` is the contender's, for a case that loads it once more in processes of its own. */
  prepare(contender: Contender, setting: S, target: Target, name: ContenderName): Promise<Subject> | Subject;
  /** The goals that this case can judge, with the measured values. */
  verdicts(result: CaseResult): readonly Verdict[];
}

/** A client with the defaults of most cases. */
export function createClient(
  contender: Contender,
  { port }: Target,
  ca: readonly string[],
  settings: Partial<ClientSettings> = {},
): Client {
  return contender.create({
    port,
    ca,
    caPerRequest: false,
    maxSockets: Infinity,
    keepAlive: true,
    sessions: true,
    looksUp: false,
    manyHosts: false,
    proxyPort: undefined,
    ...settings,
  });
}
