/**
 * The option `proxy`, of an agent or of a rule. It is checked when it is given, and kept in one form from then on. A proxy's URL may hold
 * credentials, so messages show its `name` instead.
 */
import type { ConnectionOptions } from 'node:tls';
import { inspect } from 'node:util';
import { describe } from '../identity/description.js';
import { invalidReturn, invalidType, invalidValue } from '../errors.js';
import { propertyOf } from '../node/foreign.js';
import { duration, objectValue, optional } from '../validate.js';
import { unbracketed, withPort } from './host-name.js';

/** Headers of the request that asks a proxy for a tunnel. */
export type ProxyHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** A name and its value, or values. */
export type ProxyHeader = [name: string, value: string | readonly string[]];

/** A proxy, with more options than its URL has. */
export interface ProxyOptions {
  /** `http://`, `https://` (TLS to the proxy), `socks5://` or `socks5h://`; with a user and a password, if it wants these. */
  readonly url: string | URL;
  /**
   * Headers of the `CONNECT` request, such as `Proxy-Authorization: Bearer …`, or of a request to an `http:` origin, which needs no tunnel. A function is
   * called for each, with the host and the port of its target; it is synchronous, and an exception fails that tunnel or request. Not for SOCKS.
   */
  readonly headers?: ProxyHeaders | ((host: string, port: number) => ProxyHeaders | undefined) | undefined;
  /**
   * TLS options for the connection to an `https://` proxy: `ca`, `cert`, `key`, `servername` and so on. The agent's own are for the servers
   * behind it. Default: Node's.
   */
  readonly tls?: ConnectionOptions | undefined;
  /**
   * Milliseconds within which the tunnel must be open: TCP, TLS to the proxy, and its answer. After that its request ends with an error with code
   * `ETIMEDOUT` that names the `phase`. `0`: only the agent's own `connectTimeout` holds. Default: `0`.
   */
  readonly connectTimeout?: number | undefined;
}

/** A value of the option `proxy` that names one proxy, or none. */
export type ProxyValue = string | URL | ProxyOptions | false;

/**
 * - a URL, or an object with one: that proxy for every host;
 * - `'env'`: the proxy that the environment variables `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` (in either case) name, read each time before a
 *   connection is opened;
 * - a function: called with host, port and protocol when the agent begins to hold something for a host, and each time before a connection is opened there;
 *   synchronous. `undefined`, `null` and `false` are a direct connection. An exception of it is the error of the request;
 * - `false`: none.
 */
export type ProxyOption =
  ProxyValue | ((host: string, port: number, protocol: string) => ProxyValue | null | undefined);

/** The option in the form in which it is kept. */
export type ProxyChoice =
  | { readonly kind: 'direct' }
  | { readonly kind: 'fixed'; readonly proxy: ProxyServer }
  /** By the current environment, with curl's meanings. */
  | { readonly kind: 'environment' }
  /** By an environment that was read at construction, with Node's meanings. */
  | { readonly kind: 'proxyEnv'; readonly proxy: ProxyServer; readonly noProxy: string }
  | { readonly kind: 'function'; readonly call: (host: string, port: number, protocol: string) => unknown };

export const DIRECT: ProxyChoice = { kind: 'direct' };

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'socks5:': 1080,
  'socks5h:': 1080,
};

type ProxyProtocol = 'http:' | 'https:' | 'socks5:' | 'socks5h:';

export class ProxyServer {
  readonly protocol: ProxyProtocol;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly headers: ProxyOptions['headers'];
  readonly tls: ConnectionOptions;
  /** Milliseconds; `0`: the agent's own limit alone. */
  readonly connectTimeout: number;
  readonly #username: string;
  readonly #password: string;
  /** A text of all values, equal for equal proxies. */
  readonly #content: string;

  /** @throws `URIError` if the credentials are not validly encoded */
  constructor(url: URL, { headers, tls = {}, connectTimeout = 0 }: Partial<ProxyOptions> = {}) {
    this.protocol = url.protocol as ProxyProtocol;
    this.host = unbracketed(url.hostname);
    this.port = Number(url.port) || (DEFAULT_PORTS[url.protocol] as number);
    this.#username = decodeURIComponent(url.username);
    this.#password = decodeURIComponent(url.password);
    this.headers = headers;
    this.tls = tls;
    this.connectTimeout = connectTimeout;
    const { host, port, protocol } = this;
    const parts = [protocol, host, port, this.#username, this.#password, headers, { ...tls }, connectTimeout];
    this.#content = parts.map((part) => describe(part)).join();
  }

  /** `host:port` */
  get address(): string {
    return withPort(this.host, this.port);
  }

  /** Its URL without credentials: for errors, logs and statistics. */
  get name(): string {
    return `${this.protocol}//${this.address}`;
  }

  get credentials(): { readonly username: string; readonly password: string } | undefined {
    if (this.#username === '' && this.#password === '') return undefined;
    return { username: this.#username, password: this.#password };
  }

  /**
   * The headers that a request or a tunnel to a host has for this proxy, by their names in lower case.
   *
   * @throws what the user's function throws, and `ERR_INVALID_RETURN_VALUE` for what it returns
   */
  headersFor(host: string, port: number): Map<string, ProxyHeader> {
    const headers = new Map<string, ProxyHeader>();
    const { credentials, headers: given } = this;
    if (credentials) {
      const text = `${credentials.username}:${credentials.password}`;
      const value = `Basic ${Buffer.from(text).toString('base64')}`;
      headers.set('proxy-authorization', ['Proxy-Authorization', value]);
    }
    const own = typeof given === 'function' ? returnedHeaders(given(host, port)) : given;
    for (const [name, value] of Object.entries(own ?? {}))
      if (value !== undefined) headers.set(name.toLowerCase(), [name, value]);
    return headers;
  }

  /** Whether connections through the two are equal: whether protocol, address, credentials, headers and TLS options are. */
  equals(other: ProxyServer | undefined): boolean {
    return this === other || (other !== undefined && this.#content === other.#content);
  }

  /** The fields hold credentials, and may hold keys. */
  [inspect.custom](): string {
    return `ProxyServer { ${this.name} }`;
  }

  toJSON(): string {
    return this.name;
  }
}

/** Checks the option. `name` is its name in an error. */
export function proxyChoice(name: string, value: unknown): ProxyChoice {
  if (value === false) return DIRECT;
  if (value === 'env') return { kind: 'environment' };
  if (typeof value === 'function') {
    const call = value as (host: string, port: number, protocol: string) => unknown;
    return { kind: 'function', call };
  }
  return { kind: 'fixed', proxy: proxyServer(name, value) };
}

/** @throws `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`; nothing of the value is in the error */
export function proxyServer(name: string, value: unknown): ProxyServer {
  if (typeof value === 'string' || isUrl(value)) return make(name, value, {});
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType(name, "a URL, 'env', an object with a url, a function, or false", value);
  const { url } = value as Partial<ProxyOptions>;
  if (typeof url !== 'string' && !isUrl(url))
    throw invalidType(`${name}.url`, 'of type string or an instance of URL', url);
  return make(`${name}.url`, url, {
    headers: optional(value, 'headers', (_, headers) => headersValue(`${name}.headers`, headers), undefined),
    tls: optional(value, 'tls', (_, tls) => objectValue(`${name}.tls`, tls), {}),
    connectTimeout: optional(value, 'connectTimeout', (_, ms) => duration(`${name}.connectTimeout`, ms), 0),
  });
}

/** The result of a user's function that names a proxy. @throws as `proxyServer`, and `ERR_INVALID_RETURN_VALUE` for a promise */
export function returnedProxy(value: unknown): ProxyServer {
  if (typeof propertyOf(value, 'then') === 'function')
    throw invalidReturn('a URL, an object with a url, or false', 'proxy', value);
  return proxyServer('proxy()', value);
}

const EXPECTED = "a URL that begins with 'http://', 'https://', 'socks5://' or 'socks5h://'";

/** Bytes of a user or a password (RFC 1929, section 2). */
const SOCKS_LONGEST = 255;

function make(name: string, given: string | URL, more: Omit<ProxyOptions, 'url'>): ProxyServer {
  let server;
  try {
    const url = new URL(String(given));
    if (url.hostname !== '' && url.protocol in DEFAULT_PORTS) server = new ProxyServer(url, more);
  } catch {
    // Node's error would quote the URL, with its password.
  }
  if (!server) throw invalidValue(name, EXPECTED, given);
  const isSocks = server.protocol.startsWith('socks');
  const { username = '', password = '' } = server.credentials ?? {};
  if (isSocks && Math.max(Buffer.byteLength(username), Buffer.byteLength(password)) > SOCKS_LONGEST)
    throw invalidValue(name, `a URL with at most ${SOCKS_LONGEST} bytes of user and of password`, given);
  if (more.headers && isSocks)
    throw invalidValue(`${name.replace(/\.url$/, '')}.headers`, 'left out for SOCKS', more.headers);
  return server;
}

/** Whether `value` is a `URL`, of any realm. */
function isUrl(value: unknown): value is URL {
  return typeof value === 'object' && value !== null && typeof (value as Partial<URL>).href === 'string';
}

function headersValue(name: string, value: unknown): ProxyOptions['headers'] {
  if (typeof value === 'function') return value as Exclude<ProxyOptions['headers'], undefined>;
  if (!isHeaders(value)) throw invalidType(name, `${HEADERS} or a function`, value);
  return value;
}

function returnedHeaders(value: unknown): ProxyHeaders | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isHeaders(value)) throw invalidReturn(HEADERS, 'proxy.headers', value);
  return value;
}

const HEADERS = 'an object with a property for each header';

/** Whether the properties of `value` are headers. Those of a promise, a list, a `Map` or `Headers` are not: no header of it would be sent. */
function isHeaders(value: unknown): value is ProxyHeaders {
  if (typeof value !== 'object' || value === null) return false;
  return !(Symbol.iterator in value) && typeof propertyOf(value, 'then') !== 'function';
}
