/**
 * `DEBUG=pooling-https-agent` prints what the pool does; the lines themselves are in debug-lines.ts. Callers ask `debug.enabled` first: a
 * line that is not printed costs nothing.
 *
 * The package `debug` is loaded only if lines are to be printed, so that other programs do not pay for it. If it cannot be loaded, as in a bundle, nothing
 * is printed.
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

// Whatever names `DEBUG` has: `debug.enable()` may change them later.
if (process.env['DEBUG']) load();

/**
 * Prints what the pool does, as if the process had been started with `DEBUG=pooling-https-agent`: each dial, wait and close, from now on, by
 * way of the package `debug`.
 *
 * @returns `false` if `debug` cannot be loaded
 */
export function enableDebug(): boolean {
  load();
  if (!printer) return false;
  printer.enabled = true;
  return true;
}

/** Synchronous, in either build, and not by an import that a bundler sees: it would put `debug` into every bundle, or complain. */
function load(): void {
  if (printer) return;
  try {
    const { createRequire } = process.getBuiltinModule('node:module');
    const create = createRequire(import.meta.url)('debug') as typeof createDebug;
    printer = create('pooling-https-agent');
  } catch {
    // `debug` is not installed, or not found from the bundle; or `createRequire` does not exist here.
  }
}
