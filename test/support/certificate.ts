/**
 * A self-signed certificate for the loopback, made once for each build and kept beside it: to load what makes it takes a quarter of the time of
 * a small test file.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** In build/, which every build makes anew, so that the certificate does not expire. */
const PATH = fileURLToPath(new URL('../../certificate.json', import.meta.url));

async function make(): Promise<Certificate> {
  const { generate } = await import('selfsigned');
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 2, value: '*.localhost' },
          // Node wants two labels behind the wildcard.
          { type: 2, value: '*.test.localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  return { key: pems.private, cert: pems.cert };
}

async function read(): Promise<Certificate> {
  return JSON.parse(await readFile(PATH, 'utf8')) as Certificate;
}

async function keptOrMade(): Promise<Certificate> {
  try {
    return await read();
  } catch {
    // Another process may do the same now: none reads half of it, and all have that of the first.
    const part = `${PATH}.${randomUUID()}`;
    await writeFile(part, JSON.stringify(await make()), { mode: 0o600 });
    await link(part, PATH).catch(() => {});
    await unlink(part);
    return read();
  }
}

let certificateOfBuild: Promise<Certificate> | undefined;

export function certificate(): Promise<Certificate> {
  return (certificateOfBuild ??= keptOrMade());
}
