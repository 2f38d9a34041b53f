/**
 * Resumes TLS sessions for one agent: puts a session into the options of a dial, stores new sessions of the server, and tells the
 * cache how handshakes ended. Keeps no connection alive and decides nothing about the pool.
 *
 * Node's agent does some of this in `createConnection`, with one ticket for all, which is dropped on any later error of a connection. It
 * does so only if the options have an `_agentKey`; ours have none.
 */
import { debug } from '../debug.js';
import { hostLabel } from '../debug-lines.js';
import { callIfAble, codeOf, isolate, propertyOf } from '../node/foreign.js';
import { isSocketLike } from '../node/socket.js';
import { isNumbered, LOSSES } from '../node/system-errors.js';
import type { SocketLike } from '../node/types.js';
import type { Options, Origin } from '../identity/identity.js';
import type { SessionCache } from './session-cache.js';
import { keyTerms } from './key-terms.js';
import type { KeyTerms } from './key-terms.js';
import { loadSessionKey } from './late.js';
import type { SessionKey } from './session-key.js';

/** The methods that Node's agent has for its cache. Users call and override them. */
export interface SessionMethods {
  _getSession(key: string): Buffer | undefined;
  _cacheSession(key: string, session: Buffer): void;
  _evictSession(key: string): void;
}

export class Resumption {
  readonly cache: SessionCache;
  readonly #agent: SessionMethods;
  readonly #own: SessionMethods;
  /** Stands for the current TLS material: sessions of an earlier generation are not used. */
  #generation: object = {};
  /** Handshakes under way that offer a session of ours. */
  readonly #offering = new WeakMap<object, Attempt>();
  /** The key of a session that is passed through an overridden `_cacheSession` to ours, which gets only a string. */
  #storing: SessionKey | undefined;

  /** @internal For attempts. The name of a socket's connection in debug lines, if it has one. */
  readonly labelOf: (socket: object) => string | undefined;

  /** @param own the agent's own methods, before anything has overridden them */
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

  /**
   * A connection to `origin` is about to be opened with `options`: gives it a session, if there is one and it `mayOffer` it.
   *
   * @param atConnect whether the socket gets the session when it is connected, and not by `options`: see `Attempt.givesSession`
   */
  begin(
    origin: Origin<unknown>,
    options: { session?: Buffer | undefined },
    mayOffer: boolean,
    atConnect: boolean,
  ): Attempt {
    const terms = this.#isOn ? keyTerms(origin, options as Options) : undefined;
    const attempt = new Attempt(this, origin, options as Options, terms, this.#generation);
    // A session of the user's own comes first.
    if (!terms || !mayOffer || options.session !== undefined || attempt.isForOnce) return attempt;
    const overridden = this.#agent._getSession !== this.#own._getSession;
    const session = overridden
      ? this.#agent._getSession(attempt.key.id)
      : this.cache.takeIfAny(() => attempt.key.id);
    attempt.offers = session !== undefined;
    if (!overridden) attempt.session = session;
    if (atConnect && attempt.session) attempt.givesSession = true;
    else if (session !== undefined) options.session = session;
    return attempt;
  }

  /** Whether the handshake of `socket` offers a session of ours, and the dial may be made again. */
  isOffered(socket: object): boolean {
    return this.#offering.has(socket);
  }

  /**
   * Whether `error` looks like a refusal of the session that the handshake of `socket` offered. Then all sessions of the identity are
   * dropped.
   */
  refuses(socket: SocketLike, error: unknown): boolean {
    return this.#offering.get(socket)?.isRefused(socket, error) === true;
  }

  /** @internal For attempts. */
  watch(socket: object, attempt: Attempt): void {
    this.#offering.set(socket, attempt);
  }

  /** TLS material has changed: sessions of the old material are dropped, and later ones of it are not stored. */
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
    if (attempt.generation !== this.#generation || !this.#isOn) return;
    if (this.#agent._cacheSession === this.#own._cacheSession) {
      this.cache.storeLater(() => attempt.key, session, this.#generation);
      return;
    }
    const { key } = attempt;
    this.#storing = key;
    try {
      this.#agent._cacheSession(key.id, session);
    } finally {
      this.#storing = undefined;
    }
  }

  /** @internal For attempts. `all`: other sessions of this identity would fail, too. */
  failed({ key, session }: Attempt, all: boolean): void {
    if (session) this.cache.fail(key.id, session, all);
    if (!this.isEvictionOverridden) return;
    // Its socket is being destroyed, which an exception must not interrupt.
    isolate(() => this.#agent._evictSession(key.id));
  }

  /** @internal For attempts. */
  get isEvictionOverridden(): boolean {
    return this.#agent._evictSession !== this.#own._evictSession;
  }

  /** Whether sessions are stored: in the cache, or by overridden methods. */
  get #isOn(): boolean {
    return this.cache.maxCachedSessions > 0 || this.#agent._cacheSession !== this.#own._cacheSession;
  }
}

/** Profiles on probation for which a connection was opened. */
const dialled = new WeakSet<object>();

/** One connection, from its dial to the end of its handshake. */
export class Attempt {
  readonly origin: Origin<unknown>;
  readonly generation: object;
  /** Whether its profile is on probation and was not used before: it will probably not come again, so no session is kept. */
  readonly isForOnce: boolean;
  /** The session out of our cache that was offered. */
  session: Buffer | undefined = undefined;
  /** Whether we have offered a session, wherever it was stored. */
  offers = false;
  /** Whether the dial is ours, and may be made again. */
  isRepeatable = false;
  /**
   * Whether the socket gets the session in the moment before its handshake. Node reads a session that is an option twice, and each time the certificate in it: on
   * Node 20 that takes some tenth of a resumed connection.
   */
  givesSession = false;
  readonly #resumption: Resumption;
  readonly #options: Options;
  /** Whether sessions that come on the connection may be stored. */
  readonly #keeps: boolean;
  readonly #terms: KeyTerms | undefined;
  #key: SessionKey | undefined;
  /** Listens while it is of interest whether the handshake fails. */
  #onError: ((error: unknown) => void) | undefined = undefined;
  /** Whether the session may have reached the server. */
  #sent = false;
  #done = false;

  /** @param terms those of its key. `undefined`: no sessions were kept when it was opened */
  constructor(
    resumption: Resumption,
    origin: Origin<unknown>,
    options: Options,
    terms: KeyTerms | undefined,
    generation: object,
  ) {
    this.#resumption = resumption;
    this.#options = options;
    this.#terms = terms;
    this.origin = origin;
    this.generation = generation;
    const { profile } = origin;
    this.isForOnce = profile.onProbation && !dialled.has(profile);
    if (profile.onProbation) dialled.add(profile);
    // An identity with a session of its own serves no other connections.
    this.#keeps = terms !== undefined && !this.isForOnce && options['session'] === undefined;
  }

  get key(): SessionKey {
    this.#key ??= loadSessionKey().sessionKeyOf(
      this.origin,
      this.#terms ?? keyTerms(this.origin, this.#options),
    );
    return this.#key;
  }

  /** There will be no handshake with the session that was offered. */
  unsent(): void {
    if (this.#done) return;
    this.#done = true;
    if (this.session) this.#resumption.cache.putBack(this.key, this.session);
  }

  /**
   * The connection exists, and may be anything that `createConnection` made.
   *
   * @param isTold whether `secured` will be called
   */
  watch(socket: unknown, isTold: boolean): void {
    if (!isSocketLike(socket) || typeof socket.isSessionReused !== 'function') {
      this.unsent();
      return;
    }
    // A listener of 'session' has Node copy each session that comes.
    if (this.#keeps) socket.on('session', (session: Buffer) => this.#resumption.keep(this, session));
    if (socket.secureConnecting === false) {
      this.secured(socket, hasResumed(socket));
      return;
    }
    if (this.offers && this.isRepeatable) this.#resumption.watch(socket, this);
    if (this.offers || this.#resumption.isEvictionOverridden) this.#follow(socket);
    if (!isTold) this.awaitHandshake(socket);
  }

  /** Whether its handshake fails is of interest. */
  #follow(socket: SocketLike): void {
    if (socket.connecting === false) this.#connected(socket);
    // Before Node's listener, which begins the handshake.
    else socket.prependListener('connect', () => this.#connected(socket));
    this.#onError = (error) => this.#failed(socket, error);
    socket.on('error', this.#onError);
    socket.on('close', () => this.#closed());
  }

  #connected(socket: SocketLike): void {
    this.#sent = true;
    if (this.givesSession) callIfAble(socket, 'setSession', this.session);
  }

  /** Hears by itself when the handshake of `socket` is over. */
  awaitHandshake(socket: SocketLike): void {
    socket.on('secureConnect', () => this.secured(socket, hasResumed(socket)));
  }

  /** The handshake of `socket` is over. May be called twice. */
  secured(socket: SocketLike, resumed: boolean): void {
    if (this.#done) return;
    this.#done = true;
    // An error of a socket that leaves the pool, to which nobody listens, is not to be lost.
    if (this.#onError) socket.removeListener('error', this.#onError);
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

  /** At once, and not when the socket is closed: its request may be tried again before. */
  #failed(socket: SocketLike, error: unknown): void {
    if (!this.#sent) this.unsent();
    if (this.#done) return;
    this.#done = true;
    // The ticket may be the reason. Other tickets of the same server would fail, too, one request after the other.
    this.#resumption.failed(this, brokeTls(error) || isRefusal(socket, error));
  }

  /** Closed without an error before the handshake was over: the connection was given up, and the session may be good. */
  #closed(): void {
    if (!this.#sent) this.unsent();
    this.#done = true;
  }
}

function hasResumed(socket: SocketLike): boolean {
  return callIfAble(socket, 'isSessionReused') === true;
}

/** TLS itself broke. (EPROTO: while something was being written.) */
function brokeTls(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EPROTO' || (typeof code === 'string' && code.startsWith('ERR_SSL_'));
}

/** Alerts of servers that do not accept our certificate (RFC 8446, section 6.2), by name or in OpenSSL's words. */
const ABOUT_CERTIFICATE = /certificate|unknown[_ ]ca|access[_ ]denied/i;

/**
 * Whether a handshake may have failed because of the session that it offered: by an alert, a reset or an end of file. Not because of a
 * certificate, theirs or ours, of a network error, or of a decision on this side.
 */
function isRefusal(socket: SocketLike, error: unknown): boolean {
  const code = codeOf(error);
  if (brokeTls(error)) {
    const words = code === 'EPROTO' ? propertyOf(error, 'message') : code;
    return typeof words === 'string' && !ABOUT_CERTIFICATE.test(words);
  }
  // An error without a number is Node's error for an end of file, or a user's own.
  return LOSSES.has(code) && (isNumbered(error) || socket.readableEnded);
}
