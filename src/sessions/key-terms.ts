/** The conditions under which a session was made, and under which alone it may be offered again. session-key.ts makes its key of them. */
import type { Options, Origin } from '../identity/identity.js';
import { currentPolicy } from '../node/connect-functions.js';
import { defaultAuthorities } from '../tls/context-defaults.js';

/** The conditions that a key covers besides its origin. All of them can change while the process runs: they are noted when a connection is opened. */
export interface KeyTerms {
  readonly verified: boolean;
  /** Those that Node trusts by default (`tls.setDefaultCACertificates`), if they count. */
  readonly authorities: readonly string[] | undefined;
  readonly policy: object;
}

/** The present terms, for a connection to `origin` that is opened with `options`. */
export function keyTerms({ profile: { values } }: Origin<unknown>, options: Options): KeyTerms {
  return {
    verified: isVerified(options),
    authorities: values.get('ca') || values.has('secureContext') ? undefined : defaultAuthorities(),
    policy: currentPolicy(),
  };
}

/**
 * Whether Node refuses the connection if the server's certificate is not valid, as tls.connect decides it. The environment variable is
 * read for each connection, because a process can change it.
 */
export function isVerified(options: Options): boolean {
  if ('rejectUnauthorized' in options) return options['rejectUnauthorized'] !== false;
  return process.env['NODE_TLS_REJECT_UNAUTHORIZED'] !== '0';
}
