/**
 * `DEBUG=pooling-https-agent` prints what the pool does; the lines themselves are in debug-lines.ts. Callers ask `debug.enabled` first: a
 * line that is not printed costs nothing.
 *
 * The package `debug` is loaded only for those who want to read lines: its CommonJS and its milliseconds reach nobody else. Where it is not to be had, in
 * a bundle for instance, nothing is printed.
 */
import type createDebug from 'debug';

interface Debug {
  (format: string, ...args: unknown[]): void;
  /** Whether a line would be printed now. */
  readonly enabled: boolean;
}

let printer: createDebug.Debugger | undefined;

function print(format: string, ...args: unknown[]): void {
  printer?.(format, ...args);
}

export const debug: Debug = Object.defineProperty(print, 'enabled', {
  get: () => printer?.enabled === true,
}) as unknown as Debug;

// Of any names: what is printed may be changed later, by `debug.enable()`.
if (process.env['DEBUG']) load();

/**
 * Prints what the pool does, as if the process had been started with `DEBUG=pooling-https-agent`: each dial, wait and close, from now on, by
 * way of the package `debug`.
 *
 * @returns whether that is so: `false` where `debug` cannot be loaded
 */
export function enableDebug(): boolean {
  load();
  if (!printer) return false;
  printer.enabled = true;
  return true;
}

/** Synchronous, in either build; and not by a name that a bundler sees, which would put `debug` into every bundle, or miss it. */
function load(): void {
  if (printer) return;
  try {
    const { createRequire } = process.getBuiltinModule('node:module');
    const create = createRequire(import.meta.url)('debug') as typeof createDebug;
    printer = create('pooling-https-agent');
  } catch {
    // Not installed, or not found from where a bundler has put this module; or no such function here.
  }
}
