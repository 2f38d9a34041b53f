/** The machine and the conditions of a measurement. */
import { availableParallelism, cpus } from 'node:os';
import { canPin } from './processors.js';

export interface Environment {
  readonly node: string;
  readonly cpu: string;
  /** Whether servers and clients were kept apart. */
  readonly pinned: boolean;
  readonly date: string;
  readonly arguments: readonly string[];
}

export function environment(args: readonly string[]): Environment {
  return {
    node: process.version,
    cpu: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} processors, ${process.platform} ${process.arch}`,
    pinned: canPin(),
    date: new Date().toISOString(),
    arguments: args,
  };
}

export function header({ node, cpu, pinned, date, arguments: args }: Environment): string {
  return [
    `Node ${node}`,
    `CPU ${cpu}`,
    `Servers on one processor, clients on the others: ${pinned ? 'yes, but for clients that run at the same time' : 'no'}`,
    `Date ${date}`,
    `Arguments ${args.length > 0 ? args.join(' ') : 'none'}`,
    'Numbers are medians of rounds (least–greatest); ratios are taken round by round.',
  ].join('\n');
}
