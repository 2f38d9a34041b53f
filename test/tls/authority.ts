/** An authority and certificates signed by it, for mutual TLS. */
import { generate } from 'selfsigned';

export interface Identity {
  readonly key: string;
  readonly cert: string;
}

export interface Authority {
  readonly cert: string;
  /** A certificate with this common name, good for the loopback. */
  issue(name: string): Promise<Identity>;
}

const ALT_NAMES = [
  { type: 2, value: 'localhost' },
  { type: 7, ip: '127.0.0.1' },
] as const;

export async function authority(name: string): Promise<Authority> {
  const own = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'basicConstraints', cA: true }],
  });
  return {
    cert: own.cert,
    async issue(commonName) {
      const pems = await generate([{ name: 'commonName', value: commonName }], {
        keyType: 'ec',
        algorithm: 'sha256',
        ca: { key: own.private, cert: own.cert },
        extensions: [
          { name: 'basicConstraints', cA: false },
          { name: 'subjectAltName', altNames: [...ALT_NAMES] },
        ],
      });
      return { key: pems.private, cert: pems.cert };
    },
  };
}
