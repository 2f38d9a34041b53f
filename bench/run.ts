/**
 * Runs a case. In each round every contender has a new process of its own; then, setting by setting, they take
 * their samples in turn, or all at the same time, so that whatever the machine does besides is shared by all.
 */
import type { Case, Effort, Scale, Setting } from './cases/case.js';
import type { CaseName } from './cases/index.js';
import type { LoadRequest } from './client.js';
import type { ContenderName } from './contenders/index.js';
import { rotated } from './in-turn.js';
import { Child, Overdue } from './ipc.js';
import { Network } from './network.js';
import { CLIENTS } from './processors.js';
import { valuesOf, withRatios } from './results.js';
import type { CaseResult, Row, Sample, SettingResult } from './results.js';
import { median } from './statistics.js';

interface RunOptions extends Scale {
  /** Rounds, if not each case's own number. */
  readonly rounds: number | undefined;
  /** Contenders that may take part, if not the usual ones. */
  readonly only: readonly ContenderName[];
  /** The folder for CPU profiles of the clients. */
  readonly profiles: string | undefined;
  readonly progress: (text: string) => void;
}

/** Opening thousands of connections takes a while, and so does the preparation of all contenders at the same time. */
const PREPARE_LIMIT = 300_000;

/** One contender in one round. */
interface Entrant {
  readonly name: ContenderName;
  readonly child: Child;
  readonly network: Network;
  stopped: boolean;
}

/** One that takes part in a setting. */
interface Member {
  readonly entrant: Entrant;
  readonly row: Row;
  /** Those of this round that count. */
  readonly samples: Sample[];
}

export function contendersOf(bench: Case, only: readonly ContenderName[]): ContenderName[] {
  if (only.length === 0) return [...bench.contenders];
  return [...bench.contenders, ...(bench.onRequest ?? [])].filter((name) => only.includes(name));
}

export async function runCase(bench: Case, options: RunOptions): Promise<CaseResult> {
  const names = contendersOf(bench, options.only);
  const settings = bench.settings(options);
  const effort = bench.effort(options);
  const rounds = options.rounds ?? effort.rounds;
  const result: CaseResult = {
    case: bench.name,
    settings: settings.map((setting) => ({
      setting: setting.name,
      rows: names
        .filter((name) => !setting.without?.includes(name))
        .map((contender): Row => ({ contender, rounds: [], stopped: false })),
    })),
  };

  const networks: Network[] = [];
  try {
    for (let i = 0; i < (bench.ownServers ? names.length : 1); i++) networks.push(await Network.start());
    for (let round = 0; round < rounds; round++) {
      const entrants: Entrant[] = [];
      const progress = (text: string): void =>
        options.progress(`${bench.name}: round ${round + 1} of ${rounds}, ${text}`);
      try {
        for (const [i, name] of names.entries()) {
          progress(`warming up ${name}`);
          const network = networks[i % networks.length] as Network;
          entrants.push(await enter(bench, name, network, options.profiles));
        }
        for (const [i, setting] of settings.entries()) {
          const place = `setting ${i + 1} of ${settings.length} (${setting.name})`;
          const says = (doing: string): void => progress(`${place}, ${doing}`);
          await runSetting(
            bench,
            setting,
            result.settings[i] as SettingResult,
            entrants,
            effort,
            round,
            says,
          );
        }
      } finally {
        await Promise.all(entrants.map(({ child }) => child.stop()));
      }
    }
  } finally {
    await Promise.all(networks.map((network) => network.stop()));
  }
  return result;
}

async function enter(
  bench: Case,
  name: ContenderName,
  network: Network,
  profiles: string | undefined,
): Promise<Entrant> {
  const child = new Child('client', {
    // Arguments are for those who look at the list of processes.
    args: [bench.name, name],
    // All at the same time would be too much for some of the processors.
    processors: bench.together ? undefined : CLIENTS,
    execArgv: [
      '--expose-gc',
      '--max-old-space-size=8192',
      ...(profiles === undefined
        ? []
        : ['--cpu-prof', `--cpu-prof-dir=${profiles}`, `--cpu-prof-name=${bench.name}-${name}.cpuprofile`]),
    ],
  });
  const request: LoadRequest = { case: bench.name as CaseName, contender: name, target: network.target };
  try {
    await child.call('load', request);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { name, child, network, stopped: false };
}

async function runSetting(
  bench: Case,
  setting: Setting,
  result: SettingResult,
  entrants: readonly Entrant[],
  effort: Effort,
  round: number,
  progress: (doing: string) => void,
): Promise<void> {
  const { warmUps = 0 } = effort;
  const samples = setting.samples ?? effort.samples;
  const members = membersOf(result, entrants);
  await mapMembers(members, bench, async ({ entrant }) => {
    progress(`preparing ${entrant.name}`);
    await entrant.child.call('prepare', setting, PREPARE_LIMIT);
  });
  for (let i = -warmUps; i < samples; i++) {
    progress(`sample ${i + warmUps + 1} of ${warmUps + samples}`);
    const present = members.filter(({ entrant }) => !entrant.stopped);
    // Nobody is always the first, or always after the same other.
    const order = rotated(present, round + warmUps + i);
    const taken = await takeSamples(order, bench);
    for (const [place, member] of order.entries()) keep(member, taken[place], i >= 0);
  }
  for (const { entrant, row, samples: counted } of members) {
    if (entrant.stopped) continue;
    // Samples that all have taken at the same time can be compared one by one: each counts as a round.
    row.rounds.push(...(bench.together ? counted : [summary(counted)]));
    await entrant.child.call('close');
  }
}

function membersOf(result: SettingResult, entrants: readonly Entrant[]): Member[] {
  return entrants.flatMap((entrant) => {
    const row = result.rows.find(({ contender }) => contender === entrant.name);
    return !row || row.stopped || entrant.stopped ? [] : [{ entrant, row, samples: [] }];
  });
}

/** In turn or together, as the case says. */
async function mapMembers<T>(
  members: readonly Member[],
  { together }: Case,
  work: (member: Member) => Promise<T>,
): Promise<T[]> {
  if (together) return Promise.all(members.map(work));
  const done: T[] = [];
  for (const member of members) done.push(await work(member));
  return done;
}

/** One of each. */
async function takeSamples(members: readonly Member[], bench: Case): Promise<(Sample | undefined)[]> {
  const { together, limit } = bench;
  const take = together ? takeSample : takeCountedSample;
  const samples = await mapMembers(members, bench, ({ entrant }) => take(entrant, limit));
  if (!together) return samples;
  return withRatios(samples, samples[members.findIndex(({ entrant }) => entrant.name === together.floor)]);
}

function keep({ entrant, row, samples }: Member, sample: Sample | undefined, counts: boolean): void {
  if (!sample) {
    entrant.stopped = true;
    row.stopped = true;
  } else if (counts) {
    samples.push(sample);
  }
}

/** `undefined`: it took too long, and its process is gone. */
async function takeSample({ child }: Entrant, limit: number): Promise<Sample | undefined> {
  try {
    return await child.call<Sample>('sample', undefined, limit);
  } catch (error) {
    if (error instanceof Overdue) return undefined;
    throw error;
  }
}

/** A sample with the counts of the servers. */
async function takeCountedSample(entrant: Entrant, limit: number): Promise<Sample | undefined> {
  const { network } = entrant;
  const before = await network.traffic();
  const sample = await takeSample(entrant, limit);
  if (!sample) return undefined;
  const after = await network.traffic();
  return {
    connections: after.connections - before.connections,
    resumed: after.resumed - before.resumed,
    repeated: after.repeated - before.repeated,
    // The servers do not know whose connections they see: a case that takes turns counts by itself.
    ...sample,
  };
}

function summary(samples: readonly Sample[]): Sample {
  const keys = Object.keys(samples[0] ?? {});
  return Object.fromEntries(keys.map((key) => [key, median(valuesOf(samples, key))]));
}
