/**
 * The options: their types, defaults and validation. Each option is read here, once, at construction; options that
 * can be changed later are properties of the agent.
 */
import type { AgentOptions } from 'node:https';
import {
  label,
  atLeastOne,
  atLeastZero,
  count,
  duration,
  booleanValue,
  oneOf,
  optional,
  port,
  protocol,
} from '../validate.js';
import type { Check } from '../validate.js';
import { invalidType } from '../errors.js';
import { HTTPS } from '../identity/protocol.js';
import type { Protocol } from '../identity/protocol.js';
import { checkMinFreeSockets, scheduling } from '../limits/shared-checks.js';
import type { HostLimitOptions } from '../limits/host-limits.js';
import { ReplayRule, replayRule } from '../requests/replayable.js';
import { DEFAULT_DURATIONS, defaultLimit, keepAliveMsecs } from './live-options.js';
import type { Durations, LiveLimit } from './live-options.js';
import { namePolicy } from './dns-option.js';
import type { DnsOptions, NamePolicy } from './dns-option.js';
import type { ProxyOption } from '../limits/proxy-choice.js';
import { resolveProxy } from './proxy-option.js';
import type { ResolvedProxy } from './proxy-option.js';
import { HostRules } from '../limits/rules.js';
import type { Protocols } from '../limits/given-rules.js';
import { KNOWN_OPTIONS } from './known-options.js';
import { resolveBuffer, resolveLifetimes } from './lifetime-options.js';
import { loadOptionNames } from './late.js';
import type { Limits, Scheduling } from '../pool/limits.js';
import type { SessionCache } from '../sessions/session-cache.js';
import type { TlsOptions } from '../tls/rotation.js';

/** Options that only newer versions of Node's typings have, with types that differ between them. */
type NewerOption = 'agentKeepAliveTimeoutBuffer' | 'defaultPort' | 'protocol' | 'proxyEnv';

/**
 * Everything that `https.AgentOptions` takes, TLS options included, with Node's names and meanings, and a few
 * more. `undefined` and `null` mean the default, and counts may be strings of digits. An option of the wrong type throws `ERR_INVALID_ARG_TYPE`, a number out of
 * range `ERR_OUT_OF_RANGE`, an unknown word `ERR_INVALID_ARG_VALUE`.
 */
export interface PoolingAgentOptions extends Omit<AgentOptions, 'scheduling' | NewerOption> {
  /** The agent's name in statistics, metrics, diagnostics channels, the live page and `util.inspect`. Not empty, without control characters. Default: `undefined`. */
  name?: string | undefined;
  /**
   * Keep connections open when no request waits for them. Default: `true`. (Node's `Agent` class: `false`, its
   * global agent: `true`.)
   */
  keepAlive?: boolean | undefined;
  /** Delay before the first TCP keep-alive probe, in milliseconds. `0` and `Infinity`: the system's. Default: `1000`. */
  keepAliveMsecs?: number | undefined;
  /** Connections per host: connecting, active, idle and closing together. At least 1. Default: `Infinity`. */
  maxSockets?: number | undefined;
  /** Connections of all hosts: connecting, active, idle and closing together. At least 1. Default: `Infinity`. */
  maxTotalSockets?: number | undefined;
  /** Idle connections kept per host. `0` keeps none. Default: `256`. */
  maxFreeSockets?: number | undefined;
  /** Idle connections kept of all hosts together; beyond that the least recently used one is closed. `0` keeps none. Default: `Infinity`. */
  maxTotalFreeSockets?: number | undefined;
  /**
   * Idle connections that are kept ready for each identity that was used within `trimInterval` (within a minute, if that is `0`), beside
   * those in use; in a rule of `hosts` for one host, from the construction on. They are replaced before they are too old or have been
   * idle for too long: if a server closes idle connections soon, the pool dials again and again. They are opened only if the limits
   * leave capacity for which no request waits. At most `maxFreeSockets`, `maxSockets`, and the totals. Default: `0`.
   */
  minFreeSockets?: number | undefined;
  /**
   * Milliseconds after which surplus idle connections are closed: those that a host in use has not needed once in a whole interval. A peak leaves
   * such connections. `0` never closes any for that reason. Default: `60000`.
   */
  trimInterval?: number | undefined;
  /**
   * The order in which idle connections are used.
   *
   * - `'lifo'`: the connection that was used last. As few as possible stay warm; the others are closed when they have been idle for too long.
   * - `'fifo'`: the connection that has been idle for longest. All are used in turn, which spreads requests over the servers behind a
   *   balancer and keeps connections from being idle for too long.
   * - `'least-used'`: the connection that has served the fewest requests. New connections, and so new servers behind a balancer, catch up
   *   with the old ones.
   * - `'random'`: any connection. Many clients do not fall into a common pattern.
   *
   * Default: `'lifo'`.
   */
  scheduling?: Scheduling | undefined;
  /**
   * Requests per host that may wait because no connection can be opened for them. One more is refused with
   * `ERR_POOL_QUEUE_FULL`. `0`: none may wait. Default: `Infinity`.
   */
  maxQueueSize?: number | undefined;
  /** The same for the requests of all hosts together. Default: `Infinity`. */
  maxTotalQueueSize?: number | undefined;
  /**
   * Milliseconds that a request may wait in the queue; after that it ends with `ERR_POOL_ACQUIRE_TIMEOUT`. A request for which a connection is
   * opened has left the queue (with `binding: 'late'`, it leaves when it gets one). `0`: no limit. Default: `0`.
   */
  acquireTimeout?: number | undefined;
  /**
   * The order in which hosts that wait under `maxTotalSockets` get connections.
   *
   * - `'round-robin'`: each in turn; in its turn a host gets as many connections as its rule's `weight` says.
   * - `'fifo'`: the host whose request has waited longest.
   *
   * With either, at most 20 requests are served on other hosts' connections before one of these is closed in favour of the
   * next host. Default: `'round-robin'`.
   */
  fairness?: 'round-robin' | 'fifo' | undefined;
  /**
   * Limits of single hosts, which replace the agent's own.
   *
   * An object: rules by pattern, of which the most specific applies to a host: `'api.example.com:8443'`, `'api.example.com'`,
   * `'*.example.com'` (anything below it, the longest first), `'10.0.0.0/8'` (hosts given by address, the longest prefix
   * first), `'*'`. Rules do not add up: a limit that the rule leaves out is the agent's own.
   *
   * A function: called with host, port and protocol whenever the agent begins to hold something for a host; `undefined` is no
   * rule. An exception of it is the error of the request.
   *
   * Default: `undefined`.
   */
  hosts?:
    | Readonly<Record<string, HostLimitOptions | undefined>>
    | ((host: string, port: number, protocol: string) => HostLimitOptions | undefined)
    | undefined;
  /**
   * Milliseconds without traffic after which a request emits `'timeout'`, also while it waits for a connection,
   * and after which an idle connection is closed. A request's own `timeout` comes first. `0`: no timeout.
   * Default: `0`.
   */
  timeout?: number | undefined;
  /**
   * Identities (host and TLS options) whose TLS sessions are remembered for resumption. `0` remembers none. Not
   * together with a `sessionCache`, which has its own. Default: `100`.
   */
  maxCachedSessions?: number | undefined;
  /**
   * A `SessionCache` to share with other agents, or to fill by `import`. `false`: no session is remembered.
   * Default: a cache of its own.
   */
  sessionCache?: SessionCache | false | undefined;
  /**
   * Whether the last TLS 1.3 ticket of an identity may be used more than once; see `SessionCacheOptions`. Not together
   * with a `sessionCache`, which has its own. Default: `'allow'`.
   */
  ticketReuse?: 'allow' | 'never' | undefined;
  /** Secure contexts that are kept: one for each set of certificates, keys and protocol options. Default: `100`. */
  maxSecureContexts?: number | undefined;
  /**
   * Make the secure context for the agent's own TLS options at construction. Bad certificates and keys then throw there,
   * and not at the first request. Default: `false`.
   */
  eagerContext?: boolean | undefined;
  /**
   * Returns TLS options (`cert`, `key`, `ca`, …: see `TlsOptions`), for secrets in files. Called at construction, where
   * it may throw, and each time before the pool opens a connection; synchronous. Its result comes before the options of the
   * same name. A result that differs from the last one, compared by content (functions: by identity, so return the same one each
   * time), acts as a call of `updateTls`; at most once a second. If the function throws later, or returns material that does not match (a
   * certificate and another one's key), the last options stay in use and a warning with the code
   * `POOLING_AGENT_TLS` is emitted: once, until the complaint changes. Default: `undefined`.
   */
  tls?: (() => TlsOptions) | undefined;
  /** Disable Nagle's algorithm. Default: `true`. */
  noDelay?: boolean | undefined;
  /**
   * When a request and a new connection are bound to each other.
   *
   * - `'eager'`: the request that opens a connection gets it at once, as in Node's agent, so that code which
   * listens for `'lookup'`, `'connect'` or `'secureConnect'` on a request's socket sees them. The requests
   * behind it get the first connection that is ready.
   * - `'late'`: no request gets a connection before it is ready. A slow or dead dial delays no request that another connection could
   *   serve; a socket has emitted `'secureConnect'` before its request gets it.
   *
   * Default: `'eager'`.
   */
  binding?: 'eager' | 'late' | undefined;
  /**
   * Milliseconds within which a new connection must be ready: lookup, TCP and TLS together. After that its request ends with an error with
   * code `ETIMEDOUT` that names the `phase`. Counts only time in which the event loop runs. `0`: no limit. Default: `10000`.
   */
  connectTimeout?: number | undefined;
  /**
   * Milliseconds in which nothing is sent or received on a connection in use. After that the connection is closed, and its request
   * ends with an error with code `ETIMEDOUT` and `phase: 'exchange'`, at most a quarter of the time later. Counts only time in which the event loop
   * runs. (`timeout`, on the other hand, only emits an event.) `0`: no limit. Default: `0`.
   */
  socketTimeout?: number | undefined;
  /**
   * Milliseconds after which a response that is not read is reported by the agent's event `'leak'`, with the stack of the code that made the
   * request: its connection stays in use until the response is read or destroyed. `0`: never; otherwise each request costs a stack
   * trace. Default: `0`.
   */
  leakDetectionThreshold?: number | undefined;
  /**
   * The number of times that a request is sent again after its connection turned out to be dead: the connection had served a request before,
   * and was lost before the first byte of the response. Requests of which nothing was written are sent again, and requests that may be sent
   * twice, without a body or with one of up to 64 KiB that was given at once: GET, HEAD, OPTIONS, TRACE, the `methods` that you add (PUT and
   * DELETE, say, if a 412 or a 404 for the second one does no harm), and all requests with an `Idempotency-Key`, the only way for POST and
   * PATCH. Once anything was written, requests with a method override (`X-HTTP-Method-Override`) are never sent again, and, except for GET
   * and HEAD, those with `If-Match`, `If-None-Match` or `If-Unmodified-Since`. A number is the `max`; `false`, or a `max` of `0`: never.
   * Default: `{ max: 3 }`.
   */
  replay?:
    | boolean
    | number
    | {
        /** The most times that one request is sent again. `0`: never. Default: `3`. */
        max?: number | undefined;
        /** Methods that may be sent again besides GET, HEAD, OPTIONS and TRACE. Not POST, PATCH, CONNECT. */
        methods?: readonly string[] | undefined;
      }
    | undefined;
  /**
   * Milliseconds for which a connection may be idle where the server names no time. `0` keeps none then.
   * `Infinity` keeps it until the server closes it. Default: `4000`: the shortest time in common use is 5 s.
   */
  idleTimeout?: number | undefined;
  /**
   * Milliseconds for which a connection may be idle at most, whatever the server says (`Keep-Alive: timeout=N`) and whatever
   * `idleTimeout` is. Default: `60000`, or `idleTimeout` if that is longer.
   */
  maxIdleTimeout?: number | undefined;
  /**
   * Milliseconds by which the idle time stays below the time that the server names (`Keep-Alive: timeout=N`), so that no request
   * meets the server's close half way. If that leaves less than half of the server's time, requests that can be sent twice may still use
   * the connection for half of it, and others for the time that is left. Default: `1000`.
   */
  keepAliveTimeoutBuffer?: number | undefined;
  /** The port of requests that name none. Default: `443`. */
  defaultPort?: number | undefined;
  /** The protocol of requests that name none, and the only one that they may name. Default: `'https:'`. */
  protocol?: string | undefined;
  /**
   * The proxy that leads to all hosts, or a function that says which one leads to a host; in a rule of `hosts` for the hosts of that rule. Connections through it are
   * connections of the pool like all others. `'env'` goes by `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, as curl does: see docs/proxies.md. Not together with `proxyEnv`. `socks5://` needs the package
   * `socks`, which is an optional peer. Default: `false`.
   */
  proxy?: ProxyOption | undefined;
  /**
   * Node's option, with Node's meanings (22.21, 24.5 and later), on every Node: environment variables (`HTTPS_PROXY`, `NO_PROXY`, in either case) that name a proxy for the agent's
   * connections, `process.env` or a similar object, read at construction. `false`: no proxy. Default: `false`.
   */
  proxyEnv?: { readonly [name: string]: string | undefined } | false | undefined;
  /**
   * Whether waiting requests are ordered by the header `Priority: u=N` (RFC 9218) that they have when they are made, where they have no option `priority`: for clients that
   * pass on no options (axios, got), and for proxies. A header that is not valid counts for nothing. Default: `false`.
   */
  priorityHeader?: boolean | undefined;
  /** How names are looked up, and which of their addresses is tried. `false`: all of it is left to Node. Default: `{}`. */
  dns?: DnsOptions | false | undefined;
  /** Node's name for `keepAliveTimeoutBuffer` (Node 24). If both are given, they must be equal. Default: `1000`. */
  agentKeepAliveTimeoutBuffer?: number | undefined;
  /**
   * Milliseconds after which a connection is given no further request, so that changes of DNS and behind balancers take effect. The
   * request on it finishes. The age of each connection is up to 10 % less, so that connections that were opened together are not all
   * closed together. Default: `Infinity`.
   */
  maxSocketAge?: number | undefined;
  /** Requests that a connection is given, at least 1. Default: `Infinity`. */
  maxRequestsPerSocket?: number | undefined;
  /**
   * Milliseconds of idle time from which a connection is validated before it is used: the request waits until the event
   * loop has polled once, so that a close that the system already knows of is seen. The same holds for a connection of any age when the loop was busy
   * and has read nothing for some milliseconds. `0`: each; `Infinity`: none, ever.
   * Default: `1000`.
   */
  validateAfterIdle?: number | undefined;
}

const CONNECT_TIMEOUT = 10_000;

/** `options` with every default filled in. Throws on the first option that is not valid. */
export interface ResolvedOptions extends ResolvedProxy {
  name: string | undefined;
  defaultPort: number;
  protocol: string;
  limits: Limits;
  rules: HostRules;
  durations: Durations;
  maxSecureContexts: number;
  connectTimeout: number;
  socketTimeout: number;
  leakDetectionThreshold: number;
  replay: ReplayRule;
  priorityHeader: boolean;
  /** `undefined`: names are Node's business. */
  dns: NamePolicy | undefined;
}

/**
 * The options that the caller gave, each read once, and only own properties: those of a prototype were not meant for us. `null` is left out
 * where the name is an option's: Node takes some for `false`, and throws on others.
 */
export function ownOptions(options: PoolingAgentOptions | null): PoolingAgentOptions {
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  const own = Object.assign(Object.create(null), options) as Record<string, unknown>;
  let areKnown = true;
  for (const name of Object.keys(own)) {
    if (!KNOWN_OPTIONS.has(name)) areKnown = false;
    else if (own[name] === null) Reflect.deleteProperty(own, name);
  }
  if (!areKnown) loadOptionNames().warnOfNames(own);
  return own as PoolingAgentOptions;
}

/**
 * The options of all agents.
 *
 * @param options the result of `ownOptions`
 * @param spoken the protocol that the agent speaks
 * @param protocols whether another agent, over the same pool, speaks the other one, or did so before the agent was copied
 */
export function resolveOptions(
  options: PoolingAgentOptions,
  spoken: Protocol = HTTPS,
  protocols: Protocols = 'one',
): ResolvedOptions {
  // Options that Node or the dial reads. They are checked here, because a wrong one would be noticed late, or never.
  optional(options, 'timeout', duration, 0);
  optional(options, 'noDelay', booleanValue, true);
  const limit = <K extends LiveLimit>(name: K, check: Check<Limits[K]>): Limits[K] =>
    optional<Limits[K], Limits[K]>(options, name, check, defaultLimit(name));
  const limits: Limits = {
    keepAlive: limit('keepAlive', booleanValue),
    maxSockets: limit('maxSockets', atLeastOne),
    maxTotalSockets: limit('maxTotalSockets', atLeastOne),
    maxFreeSockets: limit('maxFreeSockets', atLeastZero),
    maxTotalFreeSockets: limit('maxTotalFreeSockets', atLeastZero),
    minFreeSockets: limit('minFreeSockets', count(0)),
    maxQueueSize: limit('maxQueueSize', atLeastZero),
    maxTotalQueueSize: limit('maxTotalQueueSize', atLeastZero),
    acquireTimeout: limit('acquireTimeout', duration),
    trimInterval: limit('trimInterval', duration),
    scheduling: limit('scheduling', scheduling),
    fairness: optional(options, 'fairness', fairness, 'round-robin'),
    binding: optional(options, 'binding', binding, 'eager'),
    weight: 1,
    reserve: 0,
    ...resolveLifetimes(options),
    random: Math.random,
  };
  checkMinFreeSockets('', limits);
  return {
    name: optional<string | undefined>(options, 'name', label, undefined),
    defaultPort: optional(options, 'defaultPort', port, spoken.defaultPort),
    protocol: optional<string>(options, 'protocol', protocol, spoken.name),
    limits,
    rules: new HostRules(options.hosts, limits, protocols),
    durations: {
      keepAliveMsecs: optional(options, 'keepAliveMsecs', keepAliveMsecs, DEFAULT_DURATIONS.keepAliveMsecs),
      agentKeepAliveTimeoutBuffer: resolveBuffer(options),
    },
    maxSecureContexts: optional(options, 'maxSecureContexts', atLeastOne, 100),
    connectTimeout: optional(options, 'connectTimeout', duration, CONNECT_TIMEOUT),
    socketTimeout: optional(options, 'socketTimeout', duration, 0),
    leakDetectionThreshold: optional(options, 'leakDetectionThreshold', duration, 0),
    priorityHeader: optional(options, 'priorityHeader', booleanValue, false),
    replay: optional(options, 'replay', replayRule, new ReplayRule()),
    dns: namePolicy('dns', options.dns ?? {}),
    ...resolveProxy(options),
  };
}

const fairness = oneOf('round-robin', 'fifo');
const binding = oneOf('eager', 'late');
