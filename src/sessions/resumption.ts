/**
 * Resumes TLS sessions for one agent: puts a session into the options of a dial, takes in what the server gives, and tells
 * the cache how handshakes ended. Keeps no connection alive and decides nothing about the pool.
 *
 * Node's agent does some of this in `createConnection`, with one ticket for everybody, dropped on any later error of a
 * connection. It does so only where the options have an `_agentKey`: ours have none.
 */
import { debug } from '../debug.js';
import { hostLabel } from '../debug-lines.js';
import { callIfAble, codeOf, isolate, propertyOf } from '../node/foreign.js';
import { isSocketLike } from '../node/socket.js';
import { isNumbered, LOSSES } from '../node/system-errors.js';
import type { SocketLike } from '../node/types.js';
import type { Options, Origin } from '../identity/identity.js';
import type { SessionCache } from './session-cache.js';
import { sessionKeyOf } from './session-key.js';
import type { SessionKey } from './session-key.js';

/** The methods that Node's agent has for its cache. Users call them, and override them. */
export interface SessionMethods {
  _getSession(key: string): Buffer | undefined;
  _cacheSession(key: string, session: Buffer): void;
  _evictSession(key: string): void;
}

export class Resumption {
  readonly cache: SessionCache;
  readonly #agent: SessionMethods;
  readonly #own: SessionMethods;
  /** Stands for the TLS material of now: sessions of an earlier one are of no use. */
  #generation: object = {};
  /** Handshakes under way that offer a session of ours. */
  readonly #offering = new WeakMap<object, Attempt>();
  /** The key of a session on its way through an overridden `_cacheSession` to ours, which gets only a string. */
  #storing: SessionKey | undefined;

  /** @internal For attempts. The name of a socket's connection in debug lines, if it has one. */
  readonly labelOf: (socket: object) => string | undefined;

  /** @param own the agent's methods when nobody has overridden them */
  constructor(
    agent: SessionMethods,
    own: SessionMethods,
    cache: SessionCache,
    labelOf: (socket: object) => string | undefined,
  ) {
    this.labelOf = labelOf;
    this.#agent = agent;
    this.#own = own;
    this.cache = cache;
  }

  /** A connection to `origin` is about to be opened with `options`: gives them a session, if there is one and it `mayOffer` it. */
  begin(origin: Origin<unknown>, options: { session?: Buffer | undefined }, mayOffer: boolean): Attempt {
    const attempt = new Attempt(this, origin, options as Options, this.#generation);
    // The user's own comes first.
    if (!mayOffer || options.session !== undefined || attempt.isForOnce || !this.#isOn) return attempt;
    const { key } = attempt;
    const overridden = this.#agent._getSession !== this.#own._getSession;
    const session = overridden ? this.#agent._getSession(key.id) : this.cache.take(key.id);
    if (session !== undefined) options.session = session;
    attempt.offers = session !== undefined;
    if (!overridden) attempt.session = session;
    return attempt;
  }

  /** Whether the handshake of `socket` offers a session of ours, and the dial may be made again. */
  isOffered(socket: object): boolean {
    return this.#offering.has(socket);
  }

  /**
   * Whether `error` is how the handshake of `socket` was refused, as it seems for the session that it offered. Then all of this
   * identity are dropped.
   */
  refuses(socket: SocketLike, error: unknown): boolean {
    return this.#offering.get(socket)?.isRefused(socket, error) === true;
  }

  /** @internal For attempts. */
  watch(socket: object, attempt: Attempt): void {
    this.#offering.set(socket, attempt);
  }

  /** TLS material was changed: what was stored for the old goes, and what is still to come for it is not wanted. */
  renew(): void {
    this.cache.deleteOf(this.#generation);
    this.#generation = {};
  }

  /** `_getSession`: the newest session under `id`, which stays. */
  newest(id: string): Buffer | undefined {
    return this.cache.peek(id);
  }

  /** `_evictSession` */
  forget(id: string): void {
    this.cache.delete(id);
  }

  /** `_cacheSession` */
  store(id: string, session: Buffer): void {
    const key = this.#storing?.id === id ? this.#storing : { id, portable: false, clientCertificate: false };
    this.cache.store(key, session, this.#generation);
  }

  /** @internal For attempts. */
  keep(attempt: Attempt, session: Buffer): void {
    if (attempt.generation !== this.#generation || attempt.isForOnce || !this.#isOn) return;
    const { key } = attempt;
    if (this.#agent._cacheSession === this.#own._cacheSession) {
      this.cache.store(key, session, this.#generation);
      return;
    }
    this.#storing = key;
    try {
      this.#agent._cacheSession(key.id, session);
    } finally {
      this.#storing = undefined;
    }
  }

  /** @internal For attempts. `all`: no session of this identity can be expected to do better. */
  failed({ key, session }: Attempt, all: boolean): void {
    if (session) this.cache.fail(key.id, session, all);
    if (this.#agent._evictSession === this.#own._evictSession) return;
    // Its socket is being destroyed just now, and must not be left half way.
    isolate(() => this.#agent._evictSession(key.id));
  }

  /** Whether sessions go anywhere: into the cache, or to whoever has overridden its methods. */
  get #isOn(): boolean {
    return this.cache.maxCachedSessions > 0 || this.#agent._cacheSession !== this.#own._cacheSession;
  }
}

/** Profiles on probation that a connection was opened for. */
const dialled = new WeakSet<object>();

/** One connection, from its dial to the end of its handshake. */
export class Attempt {
  readonly origin: Origin<unknown>;
  readonly generation: object;
  /** Its functions were never seen before, and will most likely never be seen again: no session is worth keeping. */
  readonly isForOnce: boolean;
  /** The session out of our cache that was offered. */
  session: Buffer | undefined = undefined;
  /** Something was offered by us, whatever keeps it. */
  offers = false;
  /** The dial is ours, and may be made again. */
  isRepeatable = false;
  readonly #resumption: Resumption;
  readonly #options: Options;
  readonly #ownSession: boolean;
  #key: SessionKey | undefined;
  /** The session may have reached the server. */
  #sent = false;
  #done = false;

  constructor(resumption: Resumption, origin: Origin<unknown>, options: Options, generation: object) {
    this.#resumption = resumption;
    this.#options = options;
    this.origin = origin;
    this.generation = generation;
    const { profile } = origin;
    this.isForOnce = profile.onProbation && !dialled.has(profile);
    if (profile.onProbation) dialled.add(profile);
    // Such an identity is of no use to anybody else's connections.
    this.#ownSession = options['session'] !== undefined;
  }

  get key(): SessionKey {
    return (this.#key ??= sessionKeyOf(this.origin, this.#options));
  }

  /** There will be no handshake with what was offered. */
  unsent(): void {
    if (this.#done) return;
    this.#done = true;
    if (this.session) this.#resumption.cache.putBack(this.key, this.session);
  }

  /** The connection exists, and may be anything that `createConnection` made. */
  watch(socket: unknown): void {
    if (!isSocketLike(socket) || typeof socket.isSessionReused !== 'function') {
      this.unsent();
      return;
    }
    if (!this.#ownSession) socket.on('session', (session: Buffer) => this.#resumption.keep(this, session));
    if (socket.secureConnecting === false) {
      this.#secured(socket);
      return;
    }
    if (this.offers && this.isRepeatable) this.#resumption.watch(socket, this);
    this.#sent = socket.connecting === false;
    const onError = (error: unknown): void => this.#failed(socket, error);
    if (!this.#sent) socket.once('connect', () => (this.#sent = true));
    socket.once('error', onError);
    socket.once('secureConnect', () => {
      socket.removeListener('error', onError);
      this.#secured(socket);
    });
    socket.once('close', () => this.#closed());
  }

  #secured(socket: SocketLike): void {
    this.#done = true;
    const resumed = callIfAble(socket, 'isSessionReused') === true;
    if (debug.enabled) {
      const label = this.#resumption.labelOf(socket) ?? hostLabel(this.origin);
      debug('%s %s', label, resumed ? 'resumed a session' : 'made a full handshake');
    }
    this.#resumption.cache.countHandshake(resumed);
  }

  isRefused(socket: SocketLike, error: unknown): boolean {
    if (this.#done || !this.#sent || !isRefusal(socket, error)) return false;
    this.#failed(socket, error);
    return true;
  }

  /** At once, and not when it is closed: its request may be tried again in between. */
  #failed(socket: SocketLike, error: unknown): void {
    if (!this.#sent) this.unsent();
    if (this.#done) return;
    this.#done = true;
    // The ticket may be why. Others of the same server would do no better, one request after the other.
    this.#resumption.failed(this, brokeTls(error) || isRefusal(socket, error));
  }

  /** Without an error before the handshake was over: it was not wanted any more, and nothing speaks against the session. */
  #closed(): void {
    if (!this.#sent) this.unsent();
    this.#done = true;
  }
}

/** TLS itself broke. (EPROTO: while something was being written.) */
function brokeTls(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EPROTO' || (typeof code === 'string' && code.startsWith('ERR_SSL_'));
}

/** Alerts of servers to which our certificate is not good enough (RFC 8446, section 6.2), by name or in OpenSSL's words. */
const ABOUT_CERTIFICATE = /certificate|unknown[_ ]ca|access[_ ]denied/i;

/**
 * Whether a handshake may have failed for the session that it offered: by an alert, a reset or an end of file. Not for a certificate,
 * theirs or ours, nor for what the system says of the way there, nor by anybody's decision on this side.
 */
function isRefusal(socket: SocketLike, error: unknown): boolean {
  const code = codeOf(error);
  if (brokeTls(error)) {
    const words = code === 'EPROTO' ? propertyOf(error, 'message') : code;
    return typeof words === 'string' && !ABOUT_CERTIFICATE.test(words);
  }
  // An error without a number is Node's word for an end of file, or somebody's own.
  return LOSSES.has(code) && (isNumbered(error) || socket.readableEnded);
}
