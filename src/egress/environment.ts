/**
 * `proxy: 'env'`: the proxy that the environment of this process names now. Lower case comes first, and an empty variable counts as absent, as with curl. The
 * parsed values are kept until a variable changes, so that a dial only reads some variables.
 */
import { invalidProxyConfig } from './proxy-errors.js';
import type { Protocol } from '../identity/protocol.js';
import { proxyServer } from '../limits/proxy-choice.js';
import type { ProxyServer } from '../limits/proxy-choice.js';
import { NoProxy } from './no-proxy.js';

/** By protocol. `HTTP_PROXY` is none: a CGI program gets a request's header `Proxy` by that name. */
const PROXIES = {
  'https:': ['https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'],
  'http:': ['http_proxy', 'all_proxy', 'ALL_PROXY'],
} as const;
const LISTS = ['no_proxy', 'NO_PROXY'] as const;

/** A scheme, as curl finds it. */
const SCHEME = /^[a-z][a-z\d+.-]*:\/\//i;

export class Environment {
  readonly #names: readonly string[];
  #url = '';
  #proxy: ProxyServer | undefined;
  #list = '';
  #noProxy: NoProxy = new NoProxy('');

  constructor({ name }: Protocol) {
    this.#names = PROXIES[name];
  }

  /** @throws `ERR_PROXY_INVALID_CONFIG`, which names the variable */
  proxyFor(host: string, port: number): ProxyServer | undefined {
    const name = this.#names.find((variable) => process.env[variable]);
    if (name === undefined) return undefined;
    const list = process.env[LISTS.find((variable) => process.env[variable]) ?? ''] ?? '';
    if (list !== this.#list) {
      this.#noProxy = new NoProxy(list);
      this.#list = list;
    }
    if (this.#noProxy.covers(host, port)) return undefined;
    const url = process.env[name] as string;
    if (url !== this.#url || !this.#proxy) {
      this.#proxy = parse(url, name);
      this.#url = url;
    }
    return this.#proxy;
  }
}

function parse(url: string, name: string): ProxyServer {
  try {
    return proxyServer(name, SCHEME.test(url) ? url : `http://${url}`);
  } catch {
    throw invalidProxyConfig(name);
  }
}
