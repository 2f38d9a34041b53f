/** The form in which names of hosts are sent to proxies. */
import { isIPv6 } from 'node:net';
import { domainToASCII } from 'node:url';
import { invalidName } from '../errors.js';
import { withoutCredentials } from '../limits/host-name.js';

/** Characters that no name has, and by which one parser takes another part of a URL for the host than the next. */
const FORBIDDEN = /[\0-\x20#/:<>?@[\\\]^|%\x7f]/;

/**
 * `host` as it is sent to a proxy: names that are not ASCII in their encoded form, as Node sends them to a name server.
 *
 * @throws `ERR_INVALID_ARG_VALUE`
 */
export function asciiName(host: string): string {
  const address = /^\[(.*)\]$/.exec(host)?.[1] ?? host;
  if (isIPv6(address)) return address;
  const name = /^[!-~]+$/.test(host) ? host : domainToASCII(host);
  if (name !== '' && !FORBIDDEN.test(name)) return name;
  const shown = JSON.stringify(withoutCredentials(host));
  throw invalidName('options.host', `a host name that can be sent to a proxy, not ${shown}`);
}
