/** The options of an agent without TLS: those of all agents. */
import type { AgentOptions as HttpAgentOptions } from 'node:http';
import type { AgentOptions as HttpsAgentOptions } from 'node:https';
import type { PoolingAgentOptions } from './options.js';

/** The names of options that are about TLS. (`maxSecureContexts` is about proxies, too.) */
type TlsOptionName =
  | Exclude<keyof HttpsAgentOptions, keyof HttpAgentOptions>
  | 'eagerContext'
  | 'maxCachedSessions'
  | 'sessionCache'
  | 'ticketReuse'
  | 'tls';

/**
 * Everything that `http.AgentOptions` takes, with Node's names and meanings, and what `PoolingAgentOptions` adds to it: limits, the queue, replays, proxies, names and so
 * on. Options that are about TLS mean nothing, as in Node's `http.Agent`. Where a default depends on the protocol, it is that of `http:`: `protocol` is
 * `'http:'` and `defaultPort` is `80`, `proxy: 'env'` goes by `http_proxy`, `ALL_PROXY` and `NO_PROXY`, and `proxyEnv` by `HTTP_PROXY`.
 */
export interface PoolingHttpAgentOptions extends Omit<PoolingAgentOptions, TlsOptionName> {}
