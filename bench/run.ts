/**
 * Runs a case. In each round every contender has a new process of its own; then, setting by setting, they take
 * their samples in turn, one at a time, so that whatever the machine does besides is shared by all.
 */
import type { Case, Effort, Scale, Setting } from './cases/case.js';
import type { CaseName } from './cases/index.js';
import type { LoadRequest } from './client.js';
import type { ContenderName } from './contenders/index.js';
import { rotated } from './in-turn.js';
import { Child, Overdue } from './ipc.js';
import { Network } from './network.js';
import { CLIENTS } from './processors.js';
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

/** Opening thousands of connections takes a while. */
const PREPARE_LIMIT = 300_000;

/** One contender in one round. */
interface Entrant {
  readonly name: ContenderName;
  readonly child: Child;
  readonly network: Network;
  stopped: boolean;
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
    processors: CLIENTS,
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
  const taken = new Map<Row, Sample[]>();
  const present: { readonly entrant: Entrant; readonly row: Row }[] = [];
  for (const entrant of entrants) {
    const row = result.rows.find(({ contender }) => contender === entrant.name);
    if (!row || row.stopped || entrant.stopped) continue;
    progress(`preparing ${entrant.name}`);
    await entrant.child.call('prepare', setting, PREPARE_LIMIT);
    taken.set(row, []);
    present.push({ entrant, row });
  }
  for (let i = -warmUps; i < samples; i++) {
    progress(`sample ${i + warmUps + 1} of ${warmUps + samples}`);
    // Nobody is always the first, or always after the same other.
    for (const { entrant, row } of rotated(present, round + warmUps + i)) {
      if (entrant.stopped) continue;
      const sample = await takeSample(entrant, bench.limit);
      if (sample) {
        if (i >= 0) taken.get(row)?.push(sample);
      } else {
        entrant.stopped = true;
        row.stopped = true;
      }
    }
  }
  for (const { entrant, row } of present) {
    if (entrant.stopped) continue;
    row.rounds.push(summary(taken.get(row) ?? []));
    await entrant.child.call('close');
  }
}

/** `undefined`: it took too long, and its process is gone. */
async function takeSample({ child, network }: Entrant, limit: number): Promise<Sample | undefined> {
  const before = await network.traffic();
  try {
    const sample = await child.call<Sample>('sample', undefined, limit);
    const after = await network.traffic();
    return {
      connections: after.connections - before.connections,
      resumed: after.resumed - before.resumed,
      repeated: after.repeated - before.repeated,
      // The servers do not know whose connections they see: a case that takes turns counts by itself.
      ...sample,
    };
  } catch (error) {
    if (error instanceof Overdue) return undefined;
    throw error;
  }
}

function summary(samples: readonly Sample[]): Sample {
  const keys = Object.keys(samples[0] ?? {});
  return Object.fromEntries(keys.map((key) => [key, median(samples.map((sample) => sample[key] ?? NaN))]));
}
