/** Where and how it was measured. */
import { availableParallelism, cpus } from 'node:os';

export interface Environment {
  readonly node: string;
  readonly cpu: string;
  readonly date: string;
  readonly arguments: readonly string[];
}

export function environment(args: readonly string[]): Environment {
  return {
    node: process.version,
    cpu: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} processors, ${process.platform} ${process.arch}`,
    date: new Date().toISOString(),
    arguments: args,
  };
}

export function header({ node, cpu, date, arguments: args }: Environment): string {
  return [
    `Node ${node}`,
    `CPU ${cpu}`,
    `Date ${date}`,
    `Arguments ${args.length > 0 ? args.join(' ') : 'none'}`,
    'Numbers are medians of rounds (least–greatest); ratios are taken round by round.',
  ].join('\n');
}
