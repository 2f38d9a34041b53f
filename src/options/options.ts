/**
 * The options: their types, defaults and validation. Each option is read here, once, at construction; what can
 * be changed later is a property of the agent.
 */
import type { ClientRequest } from 'node:http';
import type { AgentOptions } from 'node:https';
import {
  functionValue,
  label,
  positiveDuration,
  atLeastOne,
  atLeastZero,
  count,
  duration,
  durationOrNever,
  environment,
  booleanValue,
  oneOf,
  optional,
  port,
  protocol,
} from '../validate.js';
import type { Check } from '../validate.js';
import { invalidType, invalidValue } from '../errors.js';
import { checkMinFreeSockets, scheduling } from '../limits/host-limits.js';
import type { HostLimitOptions } from '../limits/host-limits.js';
import { ReplayRule, replayRule } from '../requests/replayable.js';
import { DEFAULT_DURATIONS, defaultLimit, keepAliveMsecs } from './live-options.js';
import type { Durations, LiveLimit } from './live-options.js';
import { isSecureContext } from '../node/secure-context.js';
import { HostRules } from '../limits/rules.js';
import { KNOWN_OPTIONS } from './known-options.js';
import { warnOfNames } from './option-names.js';
import type { Lifetimes, Limits, Scheduling } from '../pool/limits.js';
import type { SessionCache } from '../sessions/session-cache.js';
import { resolveSessionCache } from './session-cache-option.js';
import type { TlsOptions } from '../tls/rotation.js';

/** Options that Node's typings know since some version, and not with the same words in each. */
type NewerOption = 'agentKeepAliveTimeoutBuffer' | 'defaultPort' | 'protocol' | 'proxyEnv';

/**
 * Everything that `https.AgentOptions` takes, TLS options included, with Node's names and meanings, and a few
 * more. `undefined` and `null` mean the default, and counts may be strings of digits. An option of the wrong type throws `ERR_INVALID_ARG_TYPE`, a number out of
 * range `ERR_OUT_OF_RANGE`, an unknown word `ERR_INVALID_ARG_VALUE`.
 */
export interface PoolingAgentOptions extends Omit<AgentOptions, 'scheduling' | NewerOption> {
  /** The agent's name in all that is told about it: statistics, metrics, diagnostics channels, `util.inspect`. Not empty, no control characters. Default: none. */
  name?: string | undefined;
  /**
   * Keep connections open that no request waits for. Default: `true` (Node's `Agent` class: `false`, its
   * global agent: `true`).
   */
  keepAlive?: boolean | undefined;
  /** Delay before the first TCP keep-alive probe on an idle connection, in milliseconds. `0` and `Infinity`: the system's. Default: `1000`. */
  keepAliveMsecs?: number | undefined;
  /** Connections per host: connecting, active and idle together. At least 1. Default: `Infinity`. */
  maxSockets?: number | undefined;
  /** Connections of all hosts: connecting, active and idle together. At least 1. Default: `Infinity`. */
  maxTotalSockets?: number | undefined;
  /** Idle connections kept per host. `0` keeps none. Default: `256`. */
  maxFreeSockets?: number | undefined;
  /** Idle connections kept of all hosts together; beyond that the least recently used goes. `0` keeps none. Default: `Infinity`. */
  maxTotalFreeSockets?: number | undefined;
  /**
   * Connections that are kept ready, idle, for each identity that was used within `trimInterval` (within a minute, where that is `0`), in
   * addition to those in use; in a rule of `hosts` for one host, from the construction on. They are replaced before they are
   * too old or have been idle for too long: with a server that closes idle connections soon, the pool dials again and again. They are
   * opened only where a place is free that nobody waits for. At most `maxFreeSockets`, `maxSockets`, and the totals. Default: `0`.
   */
  minFreeSockets?: number | undefined;
  /**
   * Milliseconds over which it is watched how many idle connections of a host are needed. Those that were not needed once
   * in a whole interval in which the host was in use are closed: what a peak has left. `0` never closes any for that
   * reason. Default: `60000`.
   */
  trimInterval?: number | undefined;
  /**
   * Which idle connection is used next.
   *
   * - `'lifo'`: the one used last. As few as possible stay warm, and the others go when they have been idle for too long.
   * - `'fifo'`: the one idle for longest. All are used in turn, which spreads requests over what stands behind a
   *   balancer and keeps all of them from being idle for too long.
   * - `'least-used'`: the one that has served the fewest requests. New connections, and so new servers behind a balancer,
   *   catch up with the old ones.
   * - `'random'`: any. Spreads requests without a pattern that many clients could fall into together.
   *
   * Default: `'lifo'`.
   */
  scheduling?: Scheduling | undefined;
  /**
   * Requests per host that may wait because no connection can be opened for them. One more is refused with
   * `ERR_POOL_QUEUE_FULL`. `0`: none may wait. Default: `Infinity`.
   */
  maxQueueSize?: number | undefined;
  /** Requests of all hosts that may wait, counted likewise. Default: `Infinity`. */
  maxTotalQueueSize?: number | undefined;
  /**
   * Milliseconds that a request may be in the queue; after that it ends with `ERR_POOL_ACQUIRE_TIMEOUT`. A request that
   * opens a connection leaves the queue with that (with `binding: 'late'`, when it gets one). `0`: any time. Default: `0`.
   */
  acquireTimeout?: number | undefined;
  /**
   * Which of the hosts that wait for room under `maxTotalSockets` gets the next place.
   *
   * - `'round-robin'`: each in turn; in its turn a host gets as many places as its rule's `weight` says.
   * - `'fifo'`: the one whose request has waited longest.
   *
   * With either, at most 20 requests are served on other hosts' connections before one of these is given up for the
   * next place. Default: `'round-robin'`.
   */
  fairness?: 'round-robin' | 'fifo' | undefined;
  /**
   * Limits of single hosts, in place of those above.
   *
   * An object: by pattern, of which the most specific counts for a host: `'api.example.com:8443'`, `'api.example.com'`,
   * `'*.example.com'` (anything below it, the longest first), `'10.0.0.0/8'` (hosts given by address, the longest prefix
   * first), `'*'`. Rules do not add up: what it leaves out is as for all hosts.
   *
   * A function: called with host and port whenever the agent begins to hold something for a host; `undefined` is no
   * rule. An exception of it is the error of the request.
   */
  hosts?:
    | Readonly<Record<string, HostLimitOptions | undefined>>
    | ((host: string, port: number) => HostLimitOptions | undefined)
    | undefined;
  /**
   * Milliseconds without traffic after which a request gets `'timeout'`, also while it waits for a connection,
   * and after which an idle connection is closed. `0` is no timeout. A request's own `timeout` comes first.
   * Default: none.
   */
  timeout?: number | undefined;
  /**
   * Identities (host and TLS options) whose TLS sessions are remembered for resumption. `0` remembers none. Not
   * together with a `sessionCache`, which has its own. Default: `100`.
   */
  maxCachedSessions?: number | undefined;
  /**
   * Where TLS sessions are remembered: a `SessionCache` that other agents use, too, or that was filled by `import`. `false`
   * remembers none. Default: a cache of its own.
   */
  sessionCache?: SessionCache | false | undefined;
  /**
   * Whether the last TLS 1.3 ticket of an identity may be used more than once; see `SessionCacheOptions`. Not together
   * with a `sessionCache`, which has its own. Default: `'allow'`.
   */
  ticketReuse?: 'allow' | 'never' | undefined;
  /** Secure contexts kept: one for each different set of certificates, keys and protocol options. Default: `100`. */
  maxSecureContexts?: number | undefined;
  /**
   * Make the secure context for the agent's own TLS options at construction, so that bad certificates and keys throw there
   * and not at the first request. Default: `false`.
   */
  eagerContext?: boolean | undefined;
  /**
   * Gives TLS options (`cert`, `key`, `ca`, …: see `TlsOptions`), for those who keep secrets in files. Called at construction, where
   * it may throw, and each time before the pool opens a connection; synchronous. Its result comes before the options of the
   * same name. When it gives something else than before, compared by content (functions: by identity, so give the same one each
   * time), that is as if `updateTls` was called; at most once a second. If
   * it throws later, or gives what does not go together, the options before stay in use and a warning with the code
   * `POOLING_AGENT_TLS` is emitted: once, until it changes. Default: none.
   */
  tls?: (() => TlsOptions) | undefined;
  /** Disable Nagle's algorithm. Default: `true`. */
  noDelay?: boolean | undefined;
  /**
   * When a request and a new connection are bound to each other.
   *
   * - `'eager'`: the request that opens a connection gets it at once, as in Node's agent, so that code which
   *   listens for `'lookup'`, `'connect'` or `'secureConnect'` on a request's socket sees them. The requests
   *   behind it take whichever connection is ready first.
   * - `'late'`: no request gets a connection before it is ready. A slow or dead dial delays nobody who could be
   *   served by another connection; sockets come with `'secureConnect'` behind them.
   *
   * Default: `'eager'`.
   */
  binding?: 'eager' | 'late' | undefined;
  /**
   * Milliseconds within which a new connection has to be ready: lookup, TCP and TLS together. Else its request ends with an error with
   * code `ETIMEDOUT` that names the `phase`. Counts only time in which the event loop runs. `0` is no limit. Default: `10000`.
   */
  connectTimeout?: number | undefined;
  /**
   * Milliseconds in which nothing is sent or received on a connection that a request has; then the connection is closed, and the request
   * gets an error with code `ETIMEDOUT`. Found out at most a quarter later; counts only time in which the event loop runs. `timeout`,
   * on the other hand, only tells. `0` is no limit. Default: `0`.
   */
  socketTimeout?: number | undefined;
  /**
   * Milliseconds after which a response that nobody reads is reported by the agent's event `'leak'`, with the stack of who made the
   * request: its connection stays in use until the response is read or destroyed. `0` is never; otherwise each request costs a stack
   * trace. Default: `0`.
   */
  leakDetectionThreshold?: number | undefined;
  /**
   * How often a request is sent again whose connection turned out to be dead: it had served a request before, and was lost before the
   * first byte of the response. Only requests of which nothing was written, and requests that may be sent twice, without a body or with
   * one of up to 64 KiB that was given at once: GET, HEAD, OPTIONS, TRACE, the `methods` that you add (PUT and DELETE, say, where nobody
   * minds that the second one may get a 412 or a 404), and whatever has an `Idempotency-Key`, which is the only way for POST and PATCH.
   * Never, once anything was written: with a method override (`X-HTTP-Method-Override`), and, but for GET and HEAD, with `If-Match`,
   * `If-None-Match` or `If-Unmodified-Since`. A number is the `max`; `false`, or a `max` of `0`: never. Default: `{ max: 3 }`.
   */
  replay?:
    boolean | number | { max?: number | undefined; methods?: readonly string[] | undefined } | undefined;
  /**
   * Milliseconds for which a connection may be idle where the server says nothing about it. `0` keeps none then.
   * `Infinity` keeps it until the server closes it. Default: `4000`: the shortest time in common use is 5 s.
   */
  idleTimeout?: number | undefined;
  /**
   * Milliseconds for which a connection may be idle, whatever the server says (`Keep-Alive: timeout=N`) and
   * `idleTimeout`. Default: `60000`, or `idleTimeout` if that is longer.
   */
  maxIdleTimeout?: number | undefined;
  /**
   * Milliseconds by which the idle time stays below what the server says (`Keep-Alive: timeout=N`), so that no request
   * meets the server's close half way. Where that would leave less than half of it, requests that can be sent twice
   * may use the connection for half of it all the same, and others for what is left. Default: `1000`.
   */
  keepAliveTimeoutBuffer?: number | undefined;
  /** The port of requests that name none. Default: `443`. */
  defaultPort?: number | undefined;
  /** The protocol of requests that name none, and the only one that they may name. Default: `'https:'`. */
  protocol?: string | undefined;
  /**
   * Environment variables (`HTTPS_PROXY`, `NO_PROXY`, in either case) that name a proxy for the agent's connections: `process.env`, or an object of the like. Needs
   * proxy support in Node (22.21, 24.5 and later); elsewhere it throws `ERR_FEATURE_UNAVAILABLE_ON_PLATFORM`. `false`: none. Default: none.
   */
  proxyEnv?: { readonly [name: string]: string | undefined } | false | undefined;
  /**
   * Whether requests that wait go by the header `Priority: u=N` (RFC 9218) that they have when they are made, where they have no option `priority`: for clients that
   * pass on no options (axios, got), and for proxies. A header that is not valid counts for nothing. Default: `false`.
   */
  priorityHeader?: boolean | undefined;
  /** Node's name for `keepAliveTimeoutBuffer` (Node 24). Given both, they have to be the same. */
  agentKeepAliveTimeoutBuffer?: number | undefined;
  /**
   * Milliseconds after which a connection is given no further request: for changes in DNS, and behind balancers. A
   * request under way ends in peace. Each connection's own age is up to 10 % less, so that those opened together do not all
   * go together. Default: `Infinity`.
   */
  maxSocketAge?: number | undefined;
  /** Requests that a connection is given, at least 1. Default: `Infinity`. */
  maxRequestsPerSocket?: number | undefined;
  /**
   * Milliseconds of idle time from which a connection is validated before it is used: the request waits until the event
   * loop has polled once, so that a close that the system already knows of is seen. So it does, whatever its age, when the loop was busy
   * and has read nothing for some milliseconds. `0`: each; `Infinity`: none, ever.
   * Default: `1000`.
   */
  validateAfterIdle?: number | undefined;
}

/** The report of the event `'leak'`, about a response that nobody reads. */
export interface LeakReport {
  readonly host: string;
  readonly port: number | string | undefined;
  readonly req: ClientRequest;
  /** Where the request was made. */
  readonly stack: string;
}

const CONNECT_TIMEOUT = 10_000;

/** `options` with every default filled in. Throws on the first that is not valid. */
export interface ResolvedOptions {
  name: string | undefined;
  defaultPort: number;
  protocol: string;
  limits: Limits;
  rules: HostRules;
  durations: Durations;
  sessionCache: SessionCache;
  maxSecureContexts: number;
  eagerContext: boolean;
  tls: (() => TlsOptions) | undefined;
  connectTimeout: number;
  socketTimeout: number;
  leakDetectionThreshold: number;
  replay: ReplayRule;
  priorityHeader: boolean;
}

/**
 * The options that the caller gave, each read once, and nothing of any prototype: there it was put by nobody who knew of us. `null` is left
 * out where the name is an option's: Node would take some for `false`, and choke on others.
 */
export function ownOptions(options: PoolingAgentOptions | null): PoolingAgentOptions {
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  const own = Object.assign(Object.create(null), options) as Record<string, unknown>;
  for (const name of Object.keys(own)) {
    if (own[name] === null && KNOWN_OPTIONS.has(name)) Reflect.deleteProperty(own, name);
  }
  warnOfNames(own);
  return own as PoolingAgentOptions;
}

/** @param options those of `ownOptions` */
export function resolveOptions(options: PoolingAgentOptions): ResolvedOptions {
  // Read by Node or by the dial; checked here because a wrong one would only show up later, or never.
  optional(options, 'timeout', duration, 0);
  optional(options, 'noDelay', booleanValue, true);
  optional<object | false>(options, 'proxyEnv', environment, false);
  const { secureContext } = options;
  if (secureContext && !isSecureContext(secureContext))
    throw invalidType(
      'secureContext',
      'made by tls.createSecureContext(), and no copy of that',
      secureContext,
    );
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
    defaultPort: optional(options, 'defaultPort', port, 443),
    protocol: optional(options, 'protocol', protocol, 'https:'),
    limits,
    rules: new HostRules(options.hosts, limits),
    durations: {
      keepAliveMsecs: optional(options, 'keepAliveMsecs', keepAliveMsecs, DEFAULT_DURATIONS.keepAliveMsecs),
      agentKeepAliveTimeoutBuffer: resolveBuffer(options),
    },
    sessionCache: resolveSessionCache(options),
    maxSecureContexts: optional(options, 'maxSecureContexts', atLeastOne, 100),
    eagerContext: optional(options, 'eagerContext', booleanValue, false),
    tls: optional<(() => TlsOptions) | undefined>(options, 'tls', functionValue, undefined),
    connectTimeout: optional(options, 'connectTimeout', duration, CONNECT_TIMEOUT),
    socketTimeout: optional(options, 'socketTimeout', duration, 0),
    leakDetectionThreshold: optional(options, 'leakDetectionThreshold', duration, 0),
    priorityHeader: optional(options, 'priorityHeader', booleanValue, false),
    replay: optional(options, 'replay', replayRule, new ReplayRule()),
  };
}

function resolveLifetimes(options: PoolingAgentOptions): Lifetimes {
  const idleTimeout = optional(options, 'idleTimeout', durationOrNever, 4000);
  return {
    idleTimeout,
    // Users who ask for more than the default by one name need not do so by the other.
    maxIdleTimeout: optional(options, 'maxIdleTimeout', durationOrNever, Math.max(60_000, idleTimeout)),
    maxSocketAge: optional(options, 'maxSocketAge', positiveDuration, Infinity),
    maxRequestsPerSocket: optional(options, 'maxRequestsPerSocket', atLeastOne, Infinity),
    validateAfterIdle: optional(options, 'validateAfterIdle', durationOrNever, 1000),
  };
}

/** One option by two names. */
function resolveBuffer(options: PoolingAgentOptions): number {
  const nodes = optional(options, 'agentKeepAliveTimeoutBuffer', duration, undefined);
  const ours = optional(
    options,
    'keepAliveTimeoutBuffer',
    duration,
    nodes ?? DEFAULT_DURATIONS.agentKeepAliveTimeoutBuffer,
  );
  if (nodes !== undefined && nodes !== ours) {
    throw invalidValue('agentKeepAliveTimeoutBuffer', `the same as keepAliveTimeoutBuffer (${ours})`, nodes);
  }
  return ours;
}

const fairness = oneOf('round-robin', 'fifo');
const binding = oneOf('eager', 'late');
