/** Measuring, in the client's process. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './contenders/contender.js';

interface Measurement {
  /** User and system time of the whole process, its helper threads included, in microseconds. */
  readonly cpu: number;
  /** Milliseconds until `work` was done. */
  readonly wall: number;
}

/**
 * @param quiet milliseconds after the end of `work` whose CPU time still counts: for work that it leaves behind, such
 * as handshakes that are not needed any more
 */
export async function measure(work: () => Promise<unknown>, quiet = 0): Promise<Measurement> {
  const startedAt = performance.now();
  const before = process.cpuUsage();
  await work();
  const wall = performance.now() - startedAt;
  if (quiet > 0) await sleep(quiet);
  const { user, system } = process.cpuUsage(before);
  return { cpu: user + system, wall };
}

/** Collects garbage, so that no sample pays for earlier ones. */
export function collectGarbage(): void {
  globalThis.gc?.();
}

/** Takes a few milliseconds, and leaves optimized code alone. */
export function collectYoungGarbage(): void {
  void globalThis.gc?.({ type: 'minor', execution: 'sync' });
}

export interface Load {
  readonly requests: number;
  readonly concurrency: number;
  /** The hosts of the requests, in turn. Default: `localhost`. */
  readonly hosts?: readonly string[];
}

const LOCALHOST: readonly string[] = ['localhost'];

/** Sends `requests`, `concurrency` at a time: each as soon as the one before it is answered. */
export async function drive(
  client: Pick<Client, 'get'>,
  { requests, concurrency, hosts = LOCALHOST }: Load,
): Promise<void> {
  let sent = 0;
  const sendInTurn = async (): Promise<void> => {
    while (sent < requests) await client.get(hosts[sent++ % hosts.length] as string);
  };
  await Promise.all(Array.from({ length: concurrency }, sendInTurn));
}
