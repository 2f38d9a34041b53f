// Makes the certificates that the tests of TLS options use (test/tls/fixtures), with the openssl command. They are valid
// for a hundred years and trusted by nobody: run this only to add to them.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from './lib/run.mjs';

const fixtures = join(root, 'test/tls/fixtures');
const work = mkdtempSync(join(tmpdir(), 'fixtures-'));
const DAYS = '36500';
const NAMES = 'subjectAltName=DNS:localhost,DNS:a.localhost,IP:127.0.0.1,IP:127.0.0.2,IP:::1';
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const RSA = ['-newkey', 'rsa:2048'];

/** @param {string[]} args */
function openssl(...args) {
  execFileSync('openssl', args, { cwd: work, stdio: ['ignore', 'inherit', 'ignore'] });
}

/**
 * @param {string} name
 * @param {{ issuer?: string, key?: string[], extensions: string[] }} options without an issuer it signs itself
 */
function certify(name, { issuer, key = EC, extensions }) {
  const extra = extensions.flatMap((extension) => ['-addext', extension]);
  const signer = issuer ? ['-CA', `${issuer}.pem`, '-CAkey', `${issuer}.key`] : [];
  const subject = ['-subj', `/CN=${name}`];
  openssl('req', '-x509', ...key, '-noenc', '-days', DAYS, ...subject, ...extra, ...signer, '-keyout', `${name}.key`, '-out', `${name}.pem`); // prettier-ignore
}

const authority = ['basicConstraints=critical,CA:true', 'keyUsage=critical,keyCertSign,cRLSign'];
certify('ca', { extensions: authority });
certify('other-ca', { extensions: authority });
certify('intermediate', { issuer: 'ca', extensions: authority });

const leaf = ['basicConstraints=critical,CA:false'];
const server = [...leaf, 'extendedKeyUsage=serverAuth', NAMES];
certify('server', { issuer: 'intermediate', extensions: server });
certify('rsa-server', { issuer: 'ca', key: RSA, extensions: server });
certify('revoked-server', { issuer: 'ca', extensions: server });
for (const client of ['client', 'another-client']) {
  certify(client, { issuer: 'ca', extensions: [...leaf, 'extendedKeyUsage=clientAuth'] });
}

/** @param {string} passphrase @param {string} file */
function pack(passphrase, file) {
  openssl('pkcs12', '-export', '-in', 'client.pem', '-inkey', 'client.key', '-passout', `pass:${passphrase}`, '-out', file); // prettier-ignore
}
pack('secret', 'client.p12');
pack('', 'client-open.p12');
openssl('pkey', '-in', 'client.key', '-aes256', '-passout', 'pass:secret', '-out', 'client-encrypted.key');

mkdirSync(join(work, 'new'));
writeFileSync(join(work, 'index.txt'), '');
writeFileSync(join(work, 'crlnumber'), '01');
writeFileSync(
  join(work, 'ca.cnf'),
  `[ca]\ndefault_ca=ca_default\n[ca_default]\ndatabase=index.txt\ncrlnumber=crlnumber\nnew_certs_dir=new\n` +
    `default_md=sha256\ncertificate=ca.pem\nprivate_key=ca.key\ndefault_crl_days=${DAYS}\n`,
);
openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl-empty.pem');
openssl('ca', '-config', 'ca.cnf', '-revoke', 'revoked-server.pem');
openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem');

mkdirSync(fixtures, { recursive: true });
const keys = ['server', 'rsa-server', 'revoked-server', 'client', 'another-client', 'client-encrypted'];
const certificates = ['ca', 'other-ca', 'intermediate', 'server', 'rsa-server', 'revoked-server', 'client', 'another-client', 'crl', 'crl-empty']; // prettier-ignore
for (const name of keys) copyFileSync(join(work, `${name}.key`), join(fixtures, `${name}.key`));
for (const name of certificates) {
  // Without the text that some versions print before it.
  const pem = readFileSync(join(work, `${name}.pem`), 'utf8');
  writeFileSync(join(fixtures, `${name}.pem`), pem.slice(pem.indexOf('-----BEGIN')));
}
for (const name of ['client.p12', 'client-open.p12']) copyFileSync(join(work, name), join(fixtures, name));
rmSync(work, { recursive: true });
