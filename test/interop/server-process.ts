/**
 * A server program as a child: on a free port of the loopback, in a directory of its own, gone with the test. A small shell
 * stands between and holds the other end of a pipe: when this process ends, however it ends, the pipe closes and the server is killed.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/** Servers are often installed where only root looks. */
const MORE_DIRECTORIES = ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/bin'];

/** The path of a program, if it is installed. */
export function find(program: string): string | undefined {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), ...MORE_DIRECTORIES];
  return directories.map((directory) => join(directory, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The test, or all tests of a suite: what was started for it ends with it. */
export type Life = Pick<TestContext, 'after'>;

/** A directory that goes with the test. */
export function temporaryDirectory(t: Life): string {
  const directory = mkdtempSync(join(tmpdir(), 'interop-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Below the ports that systems give to clients: nobody gets it by chance while its server restarts. */
const FIRST_PORT = 10_000;
const PORTS = 20_000;

export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await Promise.race([
      once(server, 'listening').then(() => true),
      once(server, 'error').then(() => false),
    ]);
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Descriptor 3 is the pipe. The server gets none of ours but stdout and stderr. */
const LEASH = `
"$@" 3<&- </dev/null & server=$!
{ cat <&3; kill -KILL "$server"; } >/dev/null 2>&1 &
wait "$server"
`;

/** Milliseconds: a server that has not come up by then, on the busiest machine, will not. */
const START_LIMIT = 60_000;

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  /** Its output. */
  output = '';

  private constructor(command: readonly string[], cwd: string) {
    this.#child = spawn('/bin/sh', ['-c', LEASH, 'leash', ...command], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    this.#exit = once(this.#child, 'exit');
    for (const stream of [this.#child.stdout, this.#child.stderr] as Readable[]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
  }

  /**
   * Runs `command` in `cwd` until it is stopped or the test ends, and waits until it is ready.
   *
   * @param ready what it prints when it is; by default it is asked for a connection
   */
  static async start(
    t: Life,
    command: readonly string[],
    { cwd, port, ready }: { cwd: string; port: number; ready?: string },
  ): Promise<ServerProcess> {
    const server = new ServerProcess(command, cwd);
    t.after(() => server.stop());
    const isReady = ready === undefined ? () => accepts(port) : () => server.output.includes(ready);
    const deadline = Date.now() + START_LIMIT;
    while (!(await isReady())) {
      if (server.#child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`${command.join(' ')} did not start:\n${server.output}`);
      }
      await sleep(5);
    }
    return server;
  }

  /** At once, as in a crash. */
  async stop(): Promise<void> {
    (this.#child.stdio[3] as Writable).end();
    await this.#exit;
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
