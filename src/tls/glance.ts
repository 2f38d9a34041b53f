/**
 * Recognises the options of the request before: the hot path of identity. Most requests come with the very values
 * that the last one had, so that some thirty comparisons by reference tell who they are. Written out, because V8 turns
 * a named property of objects made in one place into one load, and a loop over names into thirty lookups.
 */
import type { PROFILE_OPTIONS } from './profile.js';

export type ProfileOptions = { readonly [Name in (typeof PROFILE_OPTIONS)[number]]?: unknown };

export class Glance {
  readonly #seen: ProfileOptions;
  /** Arrays are mutable: what was in them, too. */
  readonly #arrays: { readonly array: readonly unknown[]; readonly members: readonly unknown[] }[] = [];

  constructor(o: ProfileOptions) {
    this.#seen = {
      checkServerIdentity: o.checkServerIdentity,
      lookup: o.lookup,
      pskCallback: o.pskCallback,
      secureContext: o.secureContext,
      socket: o.socket,
      session: o.session,
      ca: o.ca,
      cert: o.cert,
      key: o.key,
      pfx: o.pfx,
      passphrase: o.passphrase,
      crl: o.crl,
      rejectUnauthorized: o.rejectUnauthorized,
      allowPartialTrustChain: o.allowPartialTrustChain,
      ALPNProtocols: o.ALPNProtocols,
      ciphers: o.ciphers,
      ecdhCurve: o.ecdhCurve,
      sigalgs: o.sigalgs,
      dhparam: o.dhparam,
      minDHSize: o.minDHSize,
      honorCipherOrder: o.honorCipherOrder,
      minVersion: o.minVersion,
      maxVersion: o.maxVersion,
      secureProtocol: o.secureProtocol,
      secureOptions: o.secureOptions,
      sessionIdContext: o.sessionIdContext,
      clientCertEngine: o.clientCertEngine,
      privateKeyEngine: o.privateKeyEngine,
      privateKeyIdentifier: o.privateKeyIdentifier,
      certificateCompression: o.certificateCompression,
      requestOCSP: o.requestOCSP,
      enableTrace: o.enableTrace,
      localPort: o.localPort,
      hints: o.hints,
      autoSelectFamily: o.autoSelectFamily,
      autoSelectFamilyAttemptTimeout: o.autoSelectFamilyAttemptTimeout,
    };
    for (const array of Object.values(this.#seen)) {
      if (Array.isArray(array)) this.#arrays.push({ array, members: array.slice() });
    }
  }

  /** Hot path. Whether `o` has the very same values. */
  recognises(o: ProfileOptions): boolean {
    const s = this.#seen;
    return (
      o.checkServerIdentity === s.checkServerIdentity &&
      o.lookup === s.lookup &&
      o.pskCallback === s.pskCallback &&
      o.secureContext === s.secureContext &&
      o.socket === s.socket &&
      o.session === s.session &&
      o.ca === s.ca &&
      o.cert === s.cert &&
      o.key === s.key &&
      o.pfx === s.pfx &&
      o.passphrase === s.passphrase &&
      o.crl === s.crl &&
      o.rejectUnauthorized === s.rejectUnauthorized &&
      o.allowPartialTrustChain === s.allowPartialTrustChain &&
      o.ALPNProtocols === s.ALPNProtocols &&
      o.ciphers === s.ciphers &&
      o.ecdhCurve === s.ecdhCurve &&
      o.sigalgs === s.sigalgs &&
      o.dhparam === s.dhparam &&
      o.minDHSize === s.minDHSize &&
      o.honorCipherOrder === s.honorCipherOrder &&
      o.minVersion === s.minVersion &&
      o.maxVersion === s.maxVersion &&
      o.secureProtocol === s.secureProtocol &&
      o.secureOptions === s.secureOptions &&
      o.sessionIdContext === s.sessionIdContext &&
      o.clientCertEngine === s.clientCertEngine &&
      o.privateKeyEngine === s.privateKeyEngine &&
      o.privateKeyIdentifier === s.privateKeyIdentifier &&
      o.certificateCompression === s.certificateCompression &&
      o.requestOCSP === s.requestOCSP &&
      o.enableTrace === s.enableTrace &&
      o.localPort === s.localPort &&
      o.hints === s.hints &&
      o.autoSelectFamily === s.autoSelectFamily &&
      o.autoSelectFamilyAttemptTimeout === s.autoSelectFamilyAttemptTimeout &&
      this.#arraysAreUnchanged()
    );
  }

  #arraysAreUnchanged(): boolean {
    const arrays = this.#arrays;
    for (let i = 0; i < arrays.length; i++) {
      const { array, members } = arrays[i] as (typeof arrays)[number];
      if (array.length !== members.length) return false;
      for (let j = 0; j < members.length; j++) if (array[j] !== members[j]) return false;
    }
    return true;
  }
}
