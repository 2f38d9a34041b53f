/**
 * `DEBUG=pooling-https-agent` prints what the pool does; the lines themselves are in debug-lines.ts. Callers ask `debug.enabled` first: a
 * line that is not printed costs nothing.
 */
import createDebug from 'debug';

export const debug: createDebug.Debugger = createDebug('pooling-https-agent');
