/**
 * Opens connections: puts together what one is opened with, calls what users may have overridden (`createSocket`,
 * `createConnection`), and sees to it that each dial is answered exactly once. What becomes of the socket is not its
 * business.
 */
import { Agent } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { awaitsTunnel } from '../node-internals.js';
import type { AgentRequest, SocketLike } from '../node-internals.js';
import type { Deliver } from '../queued-request.js';
import type { Resumption } from '../sessions/resumption.js';
import type { Options, Origin } from './identity.js';
import type { SecureContexts } from './secure-contexts.js';

/** What a dial needs of the agent that it is made for. */
export interface DiallingAgent {
  /** A Node agent's own options; typed loosely, as users change them at will. */
  readonly options: object;
  readonly keepAlive: boolean;
  readonly keepAliveMsecs: number;
  readonly createConnection: unknown;
  createSocket(req: AgentRequest, options: Options, callback: Deliver): void;
}

type CreateConnection = (this: object, options: object, callback: Deliver) => SocketLike | undefined;

interface Dial {
  readonly origin: Origin<unknown>;
  readonly options: Options;
  /** As the options had them. */
  readonly host: unknown;
  readonly servername: unknown;
}

export class Dialler {
  readonly #agent: DiallingAgent;
  readonly #contexts: SecureContexts;
  readonly #resumption: Resumption;
  /** Requests that `createSocket` was called for by us, and not by somebody else; and with what. */
  readonly #dialling = new WeakMap<AgentRequest, Dial>();

  constructor(agent: DiallingAgent, contexts: SecureContexts, resumption: Resumption) {
    this.#agent = agent;
    this.#contexts = contexts;
    this.#resumption = resumption;
  }

  /** Whether the agent itself, and nobody else, asks `createSocket` for a connection for `req`. */
  isDialling(req: AgentRequest): boolean {
    return this.#dialling.has(req);
  }

  /**
   * Where a connection with these options leads to, if they are what we gave `createSocket`: all that is in the agent's is in
   * them, as it was when the dial began. `undefined` also if somebody has changed them on the way.
   */
  originOf(req: AgentRequest, options: Options): Origin<unknown> | undefined {
    const dial = this.#dialling.get(req);
    if (dial?.options !== options) return undefined;
    const { origin, host } = dial;
    const same = options['host'] === host && options['servername'] === dial.servername;
    return same && origin.profile.isIn(options) ? origin : undefined;
  }

  /**
   * What a connection to `origin` is opened with: the request's options, the agent's before them. Those that make the
   * identity are the ones that it stands for, also when the agent's have changed since.
   */
  optionsFor(options: Options, origin: Origin<unknown>): Options {
    // Spread, so that symbols survive: Node marks requests with some of its own.
    const dial: Record<string, unknown> = Object.assign(Object.create(null), options, this.#agent.options);
    origin.applyTo(dial);
    if (dial['socketPath']) dial['path'] = dial['socketPath'];
    if (!dial['servername'] && dial['servername'] !== '') dial['servername'] = origin.servername;
    // Present but undefined, it would hide a cached session from createConnection.
    if (dial['session'] === undefined) delete dial['session'];
    return dial;
  }

  /** Asks the agent's `createSocket` for a connection. `answer` is called once, before or after this returns. */
  dial(req: AgentRequest, options: Options, origin: Origin<unknown>, answer: Deliver): void {
    const answerOnce = once<Deliver>((error, socket) => {
      this.#dialling.delete(req);
      answer(error, socket);
    });
    const { host, servername } = options;
    this.#dialling.set(req, { options, origin, host, servername });
    try {
      this.#agent.createSocket(req, options, answerOnce);
    } catch (error) {
      answerOnce(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** What `createSocket` does, unless somebody has overridden it: calls `createConnection`, in all its shapes. */
  open(req: AgentRequest, options: Options, origin: Origin<unknown>, callback: Deliver): void {
    const agent = this.#agent;
    const timeout = req.timeout || ((agent.options as Options)['timeout'] as number | undefined);
    const connectOptions: ConnectionOptions & { encoding: null } = {
      ...(this.#dialling.get(req)?.options === options ? options : this.optionsFor(options, origin)),
      encoding: null,
      ...(timeout && { timeout }),
      ...(agent.keepAlive && { keepAlive: true, keepAliveInitialDelay: agent.keepAliveMsecs }),
    };
    const createConnection = agent.createConnection as CreateConnection;
    // Who brings a `createConnection` of their own may change the options, which a ready context would hide.
    if (createConnection === Agent.prototype.createConnection && !connectOptions.secureContext) {
      connectOptions.secureContext = this.#contexts.get(origin.profile.values, connectOptions);
    }
    const attempt = this.#resumption.begin(origin, connectOptions);
    const deliver = once<Deliver>((error, socket) => {
      if (error) {
        attempt.unsent();
        callback(error, socket);
      } else {
        attempt.watch(socket);
        callback(null, socket);
      }
    });
    try {
      const socket = createConnection.call(agent, connectOptions, deliver);
      if (socket && !awaitsTunnel(socket)) deliver(null, socket);
    } catch (error) {
      attempt.unsent();
      throw error;
    }
  }
}

/** What is called a second time does nothing. */
function once<F extends (...args: never[]) => void>(fn: F): (...args: Parameters<F>) => void {
  let called = false;
  return (...args) => {
    if (called) return;
    called = true;
    fn(...args);
  };
}
