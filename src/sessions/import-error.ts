/** The errors of exports of TLS sessions. */
import { coded } from '../errors.js';

/** For an export of TLS sessions that is refused. */
export function sessionImport(why: 'FORMAT' | 'VERSION' | 'KEY', message: string, cause?: unknown): Error {
  return coded(new Error(message, cause === undefined ? {} : { cause }), `ERR_SESSION_IMPORT_${why}`);
}
