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

/** Whether that can be done here. It is asked without pinning anything: the clients and servers load this module, too, and are to stay where they were put. */
export const canPin: boolean = count > 1 && taskset('-p', String(process.pid));

/** All threads of a process that has just been started, and those that it starts later. */
export function pin(pid: number, processors: string): boolean {
  return taskset('-a', '-c', '-p', processors, String(pid));
}

function taskset(...args: readonly string[]): boolean {
  return spawnSync('taskset', args, { stdio: 'ignore' }).status === 0;
}
