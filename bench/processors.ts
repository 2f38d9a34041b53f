/**
 * Keeps the servers and the clients apart: on one processor the former, on all others the latter. The scheduler would
 * put a client now beside its server and now on another processor, and the wake-up across costs as much as half a request.
 *
 * With `taskset`, which Linux has; elsewhere, and on a single processor, all stay where they are put.
 */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

const count = cpus().length;

export const SERVERS = '0';
export const CLIENTS: string = count > 2 ? `1-${count - 1}` : '1';

/** Whether that can be done here. */
export function canPin(): boolean {
  return count > 1 && taskset('-p', String(process.pid));
}

/** All threads of a process that has just been started, and those that it starts later. Does nothing where it cannot be done. */
export function pin(pid: number, processors: string): void {
  taskset('-a', '-c', '-p', processors, String(pid));
}

function taskset(...args: readonly string[]): boolean {
  return spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
}
