/**
 * Node's option `proxyEnv`, with its meanings in Node 22.21, 24.5 and later: read once, at construction. Node's own constructor does not get it: Node
 * would lead connections through the proxy a second time.
 */
import { isIPv4 } from 'node:net';
import { invalidProxyConfig } from './proxy-errors.js';
import type { Protocol } from '../identity/protocol.js';
import { DIRECT, ProxyServer } from '../limits/proxy-choice.js';
import type { ProxyChoice } from '../limits/proxy-choice.js';

const NAMES = {
  'https:': ['https_proxy', 'HTTPS_PROXY'],
  'http:': ['http_proxy', 'HTTP_PROXY'],
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws `ERR_PROXY_INVALID_CONFIG` */
export function choiceOfProxyEnv(env: Environment, protocol: Protocol): ProxyChoice {
  const [lower, upper] = NAMES[protocol.name];
  const name = env[lower] ? lower : upper;
  const url = env[name];
  if (!url) return DIRECT;
  if (/[\r\n]/.test(url)) throw invalidProxyConfig(`proxyEnv.${name}`);
  // As in Node: other schemes are ignored.
  if (!/^https?:\/\//.test(url)) return DIRECT;
  try {
    const proxy = new ProxyServer(new URL(url));
    return { kind: 'proxyEnv', proxy, noProxy: env['no_proxy'] || env['NO_PROXY'] || '' };
  } catch {
    throw invalidProxyConfig(`proxyEnv.${name}`);
  }
}

/** Whether Node reaches `host` without the proxy. */
export function isBypassed(list: string, host: string, port: number): boolean {
  if (list === '') return false;
  const name = host.toLowerCase();
  return list.split(',').some((entry) => covers(entry.trim().toLowerCase(), name, `${name}:${port}`));
}

function covers(entry: string, host: string, hostAndPort: string): boolean {
  if (entry === '*' || entry === host || entry === hostAndPort) return true;
  if (entry.startsWith('.') && (host === entry.slice(1) || host.endsWith(entry))) return true;
  if (entry.startsWith('*.') && host.endsWith(entry.slice(1))) return true;
  if (!entry.includes('-') || !isIPv4(host)) return false;
  const [first = '', last = ''] = entry.split('-').map((address) => address.trim());
  if (!isIPv4(first) || !isIPv4(last)) return false;
  return numberOf(host) >= numberOf(first) && numberOf(host) <= numberOf(last);
}

function numberOf(address: string): number {
  return address.split('.').reduce((number, byte) => number * 256 + Number(byte), 0);
}
