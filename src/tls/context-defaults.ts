/**
 * The values that Node uses where an option is not given. All of them can be changed while the process runs, and must not be remembered
 * for longer than they hold.
 */
// Not by name: what is assigned to them later would not be seen.
import tls from 'node:tls';

/** Typed here: Node 20 has neither. */
const { getCACertificates, setDefaultCACertificates } = tls as {
  getCACertificates?: (type: 'default') => readonly string[];
  setDefaultCACertificates?: (certificates: readonly string[]) => void;
};

/**
 * The certificates trusted where there is no `ca`. One and the same array until they change (`tls.setDefaultCACertificates`).
 * Node makes it for the first who asks, which takes a millisecond.
 */
export function defaultAuthorities(): readonly string[] {
  // Without the setter they cannot change.
  return (setDefaultCACertificates && getCACertificates?.('default')) ?? tls.rootCertificates;
}

/** Equal as long as nothing has changed that goes into a context. */
export class ContextDefaults {
  readonly ciphers = tls.DEFAULT_CIPHERS;
  readonly ecdhCurve = tls.DEFAULT_ECDH_CURVE;
  readonly minVersion = tls.DEFAULT_MIN_VERSION;
  readonly maxVersion = tls.DEFAULT_MAX_VERSION;
  readonly authorities: readonly string[] | undefined;

  /** @param trusted whether the default certificates go into it */
  constructor(trusted: boolean) {
    this.authorities = trusted ? defaultAuthorities() : undefined;
  }

  get holds(): boolean {
    return (
      this.ciphers === tls.DEFAULT_CIPHERS &&
      this.ecdhCurve === tls.DEFAULT_ECDH_CURVE &&
      this.minVersion === tls.DEFAULT_MIN_VERSION &&
      this.maxVersion === tls.DEFAULT_MAX_VERSION &&
      (!this.authorities || this.authorities === defaultAuthorities())
    );
  }
}
