/**
 * Opens connections: puts together what one is opened with, calls what users may have overridden (`createSocket`,
 * `createConnection`), and sees to it that each dial is answered exactly once. The socket's further course is not its
 * business.
 */
import { Agent } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { invalidName, unsupported } from '../errors.js';
import { awaitsTunnel, hasProxyConfig, tunnelMark } from '../node/proxy-support.js';
import { processWide } from '../process-wide.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import { failIfUnusable } from '../node/unix-path.js';
import { isCreateConnectionOwn } from '../node/connect-functions.js';
import type { Deliver } from '../requests/pending-request.js';
import type { Attempt, Resumption } from '../sessions/resumption.js';
import type { Options, Origin } from '../identity/identity.js';
import { scrub } from '../identity/secrets.js';
import type { SecureContexts } from '../tls/secure-contexts.js';

/** The parts of an agent that a dial for it needs. */
export interface ConnectingAgent {
  /** A Node agent's own options; typed loosely, as users change them at will. */
  readonly options: object;
  readonly keepAlive: boolean;
  readonly keepAliveMsecs: number;
  readonly createConnection: unknown;
  createSocket(req: AgentRequest, options: Options, callback: Deliver): void;
}

type CreateConnection = (this: object, options: object, callback: Deliver) => SocketLike | undefined;

/** The two ways in which a dial ends. One of them is called, once. */
export interface Answer {
  /** By `createConnection`, which may have made anything. */
  brought(socket: SocketLike | undefined): void;
  /** @param socket came with the error, and is of no use */
  failed(error: unknown, socket?: SocketLike): void;
}

export interface Dial {
  readonly origin: Origin<unknown>;
  /** The options that `createSocket` was called with. */
  readonly options: Options;
  /** The options that the request came with. */
  readonly requested: Options;
  /** Whether a session may be resumed, if there is one. */
  readonly offersSession: boolean;
}

export class Connector {
  readonly #agent: ConnectingAgent;
  readonly #contexts: SecureContexts;
  readonly #resumption: Resumption;
  /** Requests that `createSocket` was called for by us, and not by somebody else; and with what. */
  readonly #dialling = new WeakMap<AgentRequest, Dial>();

  constructor(agent: ConnectingAgent, contexts: SecureContexts, resumption: Resumption) {
    this.#agent = agent;
    this.#contexts = contexts;
    this.#resumption = resumption;
  }

  /** Whether the agent itself, and nobody else, asks `createSocket` for a connection for `req`. */
  isDialling(req: AgentRequest): boolean {
    return this.#dialling.has(req);
  }

  /**
   * Our own call of `createSocket` for `req`; `undefined` when somebody else has called it, or a subclass has changed the options to
   * mean another origin.
   */
  dialOf(req: AgentRequest, options: Options): Dial | undefined {
    const dial = this.#dialling.get(req);
    return dial?.origin.isOf(options) ? dial : undefined;
  }

  /**
   * The options with which a connection to `origin` is opened: the request's, the agent's before them. An option that tells origins apart
   * is the origin's own: the agent's options may have changed since the request came.
   */
  optionsFor(options: Options, origin: Origin<unknown>): Options {
    // Spread, so that symbols survive: Node marks requests with some of its own.
    const dial: Record<string, unknown> = Object.assign(Object.create(null), options, this.#agent.options);
    // An absent value is left out: `session: undefined` would hide a cached session from createConnection.
    origin.applyTo(dial);
    if (dial['socketPath']) dial['path'] = dial['socketPath'];
    // The first would take away the bytes that Node's HTTP parser waits for, of all requests on the connection; the second would
    // keep connections that the server has ended.
    delete dial['onread'];
    delete dial['allowHalfOpen'];
    return dial;
  }

  #isOurs(req: AgentRequest, options: Options, origin: Origin<unknown>): boolean {
    return this.#dialling.get(req)?.options === options && origin.isOf(options);
  }

  /** Asks the agent's `createSocket` for a connection. It is answered before or after this returns. */
  dial(req: AgentRequest, dial: Dial, answer: Answer): void {
    const answerOnce = once((answerIt: () => void) => {
      this.#dialling.delete(req);
      answerIt();
    });
    this.#dialling.set(req, dial);
    try {
      this.#agent.createSocket(req, dial.options, (error, socket) =>
        answerOnce(() => (error ? answer.failed(error, socket) : answer.brought(socket))),
      );
    } catch (error) {
      answerOnce(() => answer.failed(error));
    }
  }

  /** The work of `createSocket`, unless somebody has overridden it: calls `createConnection`, in all its shapes. */
  open(req: AgentRequest, options: Options, origin: Origin<unknown>, callback: Deliver): void {
    const agent = this.#agent;
    const timeout = req.timeout || ((agent.options as Options)['timeout'] as number | undefined);
    const connectOptions: ConnectionOptions & { encoding: null } = {
      ...(this.#isOurs(req, options, origin) ? options : this.optionsFor(options, origin)),
      encoding: null,
      ...(timeout && { timeout }),
      ...(agent.keepAlive && { keepAlive: true, keepAliveInitialDelay: agent.keepAliveMsecs }),
    };
    const createConnection = agent.createConnection as CreateConnection;
    const isNodes = createConnection === Agent.prototype.createConnection;
    if (isNodes && hasProxyConfig(agent) && !tunnelMark.holds) throw unsupported('A proxy ("proxyEnv")');
    if (isNodes && connectOptions.socket) takeOnce(connectOptions.socket);
    // A `createConnection` of the user's own may change the options, which a ready context would hide.
    if (isNodes && !connectOptions.secureContext) {
      const { profile } = origin;
      const context = this.#contexts.get(profile.values, profile.contextOptions);
      if (context) connectOptions.secureContext = context;
    }
    if (isNodes && typeof connectOptions['path'] === 'string') failIfUnusable(connectOptions['path']);
    const attempt = this.#resumption.begin(
      origin,
      connectOptions,
      this.#dialling.get(req)?.offersSession !== false,
    );
    // A connection of others, or over a socket that is given once, is not ours to try again.
    attempt.isRepeatable = isNodes && isCreateConnectionOwn() && !connectOptions.socket;
    const deliver = once<Deliver>((error, socket) => {
      if (error) attempt.unsent();
      callback(error || watch(attempt, socket), socket);
    });
    try {
      const socket = createConnection.call(agent, connectOptions, deliver);
      if (socket && !awaitsTunnel(socket)) deliver(null, socket);
    } catch (error) {
      attempt.unsent();
      throw scrub(error, { ...connectOptions });
    }
  }
}

/** Returns what went wrong: a stream may take no listeners. */
function watch(attempt: Attempt, socket: SocketLike | undefined): Error | null {
  try {
    attempt.watch(socket);
    return null;
  } catch (error) {
    return error as Error;
  }
}

const taken = processWide('secured sockets', 1, () => new WeakSet<object>());

/** Two TLS connections over one socket would read each other's bytes. */
function takeOnce(socket: object): void {
  if (taken.has(socket)) throw invalidName('options.socket', 'a socket that carries no TLS connection yet');
  taken.add(socket);
}

/** A second call does nothing. */
function once<F extends (...args: never[]) => void>(fn: F): (...args: Parameters<F>) => void {
  let called = false;
  return (...args) => {
    if (called) return;
    called = true;
    fn(...args);
  };
}
