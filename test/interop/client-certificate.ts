/** Certificates for clients: each its own authority. */
import { generate } from 'selfsigned';
import type { Certificate } from '../support/certificate.js';

export async function clientCertificate(name: string): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [{ name: 'basicConstraints', cA: true }],
  });
  return { key, cert };
}
