/**
 * Calls between the harness and the processes it forks. One call at a time per process; an error in the child
 * fails the call, and a child whose harness is gone ends by itself.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pin } from './processors.js';

interface Call {
  readonly method: string;
  readonly argument: unknown;
}

type Reply = { readonly result: unknown } | { readonly error: string };

interface ForkOptions {
  /** Arguments of the program. */
  readonly args?: readonly string[];
  /** Arguments of Node. */
  readonly execArgv?: readonly string[];
  /** The processors on which it runs. `undefined`: all. */
  readonly processors: string | undefined;
}

/** A call that took longer than it may. */
export class Overdue extends Error {}

/** The harness's end. */
export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  #settle: { resolve: (result: unknown) => void; reject: (error: Error) => void } | undefined;
  #exited = false;

  /** @param program a module beside this one, without its extension */
  constructor(program: string, { args = [], execArgv = [], processors }: ForkOptions) {
    this.#name = [program, ...args].join(' ');
    this.#process = fork(fileURLToPath(new URL(`./${program}.js`, import.meta.url)), args, {
      execArgv: [...execArgv],
    });
    const { pid } = this.#process;
    if (processors !== undefined && pid !== undefined) pin(pid, processors);
    this.#process.on('message', (message: Reply) => {
      const settle = this.#settle;
      this.#settle = undefined;
      if ('error' in message) settle?.reject(new Error(`${this.#name}: ${message.error}`));
      else settle?.resolve(message.result);
    });
    const gone = (why: string): void => {
      this.#exited = true;
      this.#settle?.reject(new Error(`${this.#name}: ${why}`));
      this.#settle = undefined;
    };
    this.#process.on('error', (error) => gone(error.message));
    this.#process.on('exit', (code, signal) => gone(`ended with ${signal ?? `exit code ${code}`}`));
  }

  /** @param limit milliseconds after which the process is killed and the call fails with `Overdue` */
  async call<T>(method: string, argument?: unknown, limit = 0): Promise<T> {
    if (this.#exited) throw new Error(`${this.#name}: has ended`);
    const { promise, resolve, reject } = withResolvers<unknown>();
    this.#settle = { resolve, reject };
    const timer = limit > 0 && setTimeout(() => this.#kill(method, limit), limit);
    this.#process.send({ method, argument } satisfies Call);
    try {
      return (await promise) as T;
    } finally {
      if (timer) clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    if (this.#exited) return;
    const exit = new Promise((resolve) => this.#process.once('exit', resolve));
    if (this.#process.connected) this.#process.disconnect();
    await exit;
  }

  #kill(method: string, limit: number): void {
    this.#settle?.reject(new Overdue(`${this.#name}: ${method} took more than ${limit / 1000} s`));
    this.#settle = undefined;
    this.#process.kill('SIGKILL');
  }
}

export type Methods = Readonly<Record<string, (argument: never) => unknown>>;

function reply(message: Reply): void {
  process.send?.(message);
}

function replyError(error: unknown): void {
  reply({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

/**
 * The child's end: answers calls with `methods`, until the harness hangs up. An exception outside of a call ends
 * the process, and with it the call that runs, or the next one.
 */
export function answer(methods: Methods): void {
  if (!process.send) throw new Error('This program is started by the benchmark harness, not by hand');
  process.on('disconnect', () => process.exit());
  process.on('message', ({ method, argument }: Call) => {
    Promise.resolve(argument)
      .then(methods[method] as (argument: unknown) => unknown)
      .then((result) => reply({ result }), replyError);
  });
}

interface Resolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers<T>(): Resolvers<T> {
  let resolve!: Resolvers<T>['resolve'];
  let reject!: Resolvers<T>['reject'];
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
