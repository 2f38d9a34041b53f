/**
 * The values that Node uses for options that are not given. All of them can be changed while the process runs, so they are compared each time.
 */
// The module object, not its properties: these may be assigned later.
import tls from 'node:tls';

/** Typed here, because Node 20 has neither. */
const { getCACertificates, setDefaultCACertificates } = tls as {
  getCACertificates?: (type: 'default') => readonly string[];
  setDefaultCACertificates?: (certificates: readonly string[]) => void;
};

/**
 * The certificates that are trusted without the option `ca`: the same array until they change (`tls.setDefaultCACertificates`).
 * Node makes it at the first call, which takes a millisecond.
 */
export function defaultAuthorities(): readonly string[] {
  // Without the setter they cannot change.
  return (setDefaultCACertificates && getCACertificates?.('default')) ?? tls.rootCertificates;
}

/** A snapshot of the defaults: equal as long as none that goes into a context has changed. */
export class ContextDefaults {
  readonly ciphers = tls.DEFAULT_CIPHERS;
  readonly ecdhCurve = tls.DEFAULT_ECDH_CURVE;
  readonly minVersion = tls.DEFAULT_MIN_VERSION;
  readonly maxVersion = tls.DEFAULT_MAX_VERSION;
  readonly authorities: readonly string[] | undefined;

  /** @param trusted whether the default certificates go into the context */
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
