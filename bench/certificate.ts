/** The server's certificate: made anew for every run, good for every name that the cases use. */
import { generate } from 'selfsigned';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Wildcards count only before two labels or more, says Node. */
const DOMAIN = 'bench.localhost';

/** The `n`-th host. */
export function hostName(n: number): string {
  return `host-${n}.${DOMAIN}`;
}

export async function createCertificate(): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: `*.${DOMAIN}` },
        ],
      },
    ],
  });
  return { key, cert };
}
