/**
 * `connector(agent)`: connections for undici's own client, opened as the agent opens its own: with its secure context, its TLS sessions, its current TLS
 * options, and the `createSocket` and `createConnection` of its class. After that they belong to undici: the pool does not count them.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PoolingAgent } from '../index.js';
import { connectionReset, falsyFailure, invalidType } from '../errors.js';
import { booleanValue, optional, optionsObject } from '../validate.js';
import { connectTimedOut, invalidArgument } from './errors.js';
import { isolate } from './isolate.js';
import { timeoutOption } from './timeouts.js';
import { clearTimeout, setImmediate, setTimeout } from './timers.js';

/** The options of `connector`. */
export interface ConnectorOptions {
  /** Milliseconds from the beginning of a connection until it is ready, the TLS handshake included; `0`: any time. Default: 10,000, as undici's. */
  readonly timeout?: number | null | undefined;
  /** Whether the server may choose HTTP/2, which undici's client speaks then (give that `allowH2: true`, too). Default: `false`, and the agent's `ALPNProtocols`. */
  readonly allowH2?: boolean | null | undefined;
}

/** undici's options for a connection. */
export interface ConnectOptions {
  /** The host of the origin; an IPv6 address may have brackets. */
  readonly hostname: string;
  /** The host with its port. */
  readonly host?: string | undefined;
  /** `'https:'`; other protocols are refused. */
  readonly protocol: string;
  /** The port. Default: 443. */
  readonly port: string | number;
  /** The name that is expected in the certificate. Default: the agent's `servername`, or else the host. */
  readonly servername?: string | null | undefined;
  /** The address to connect from. */
  readonly localAddress?: string | null | undefined;
  /** The connection to a proxy over which TLS goes. */
  readonly httpSocket?: Socket | undefined;
}

/** Called once, with a connection that is ready, or with an error. */
export type ConnectCallback = (...args: [error: null, socket: Socket] | [error: Error, socket: null]) => void;

/** For `new undici.Agent({ connect })`. */
export type Connect = (options: ConnectOptions, callback: ConnectCallback) => void;

const DEFAULT_TIMEOUT = 10_000;

/** In the order of preference. */
const WITH_HTTP2 = ['h2', 'http/1.1'];

interface Settings {
  /** `Infinity`: any time. */
  readonly timeout: number;
  /** The protocols to offer. `undefined`: the agent's. */
  readonly protocols: string[] | undefined;
}

/**
 * @param agent a `PoolingAgent`. It may be destroyed without harm to connections that are open; after `agent.close()` no new ones are opened (`ERR_AGENT_CLOSED`)
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
 */
export function connector(agent: PoolingAgent, options?: ConnectorOptions | null): Connect {
  if (!isPoolingAgent(agent)) throw invalidType('agent', 'a PoolingAgent', agent);
  const given = optionsObject(options);
  const timeout = timeoutOption(given, 'timeout', DEFAULT_TIMEOUT);
  const protocols = optional(given, 'allowH2', booleanValue, false) ? WITH_HTTP2 : undefined;
  return (wanted, callback) => {
    if (wanted.protocol !== 'https:') {
      const what = `a connector of a PoolingAgent opens TLS connections, none for ${wanted.protocol}: leave http: origins to an Agent without "connect"`;
      callback(invalidArgument(what), null);
      return;
    }
    new Dial(agent, wanted, { timeout, protocols }, callback).begin();
  };
}

function isPoolingAgent(value: unknown): value is PoolingAgent {
  return (
    typeof value === 'object' &&
    value !== null &&
    'createSocket' in value &&
    typeof value.createSocket === 'function' &&
    'stats' in value
  );
}

/** The dial of one connection. */
class Dial {
  readonly #agent: PoolingAgent;
  readonly #wanted: ConnectOptions;
  readonly #callback: ConnectCallback;
  readonly #settings: Settings;
  readonly #timer: NodeJS.Timeout | undefined;
  #request: EventEmitter | undefined = undefined;
  #socket: TLSSocket | undefined = undefined;
  #isDone = false;
  #mayRepeat = true;

  constructor(agent: PoolingAgent, wanted: ConnectOptions, settings: Settings, callback: ConnectCallback) {
    this.#agent = agent;
    this.#wanted = wanted;
    this.#settings = settings;
    this.#callback = callback;
    // The loop may have been blocked: it polls once more before the dial counts as late.
    const { timeout } = settings;
    if (timeout !== Infinity) this.#timer = setTimeout(() => setImmediate(() => this.#timedOut()), timeout);
  }

  begin(): void {
    const { hostname, port, servername, localAddress, httpSocket } = this.#wanted;
    const { protocols } = this.#settings;
    const options = {
      host: hostname.replace(/^\[(.*)\]$/, '$1'),
      port: Number(port) || 443,
      ...(servername && { servername }),
      ...(protocols && { ALPNProtocols: protocols }),
      ...(localAddress && { localAddress }),
      ...(httpSocket && { socket: httpSocket }),
    };
    // There is no request of Node's client. It closes when the dial is given up: a tunnel that is being opened for it ends then.
    const request = (this.#request = new EventEmitter());
    try {
      this.#agent.createSocket(request as never, options, (error, socket) => {
        if (error) this.#fail(error);
        else this.#take(socket);
      });
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param socket may be anything that `createConnection` has made */
  #take(socket: unknown): void {
    try {
      if (isStream(socket)) this.#watch(socket);
      else this.#fail(invalidType('socket', 'a stream.Duplex, returned by createConnection', socket));
    } catch (error) {
      this.#fail(error);
    }
  }

  #watch(socket: TLSSocket): void {
    if (this.#isDone) {
      discard(socket);
      return;
    }
    this.#socket = socket;
    const { secureConnecting } = socket as TLSSocket & { secureConnecting?: boolean };
    if (!secureConnecting && !socket.connecting && !socket.destroyed) {
      this.#succeed(socket);
      return;
    }
    const readyEvent = 'encrypted' in socket ? 'secureConnect' : 'connect';
    // A session is known from the moment on in which the handshake begins: before that it cannot be the reason for a failure.
    let offersSession = false;
    const onConnect = (): void => {
      offersSession = socket.getSession?.() !== undefined;
    };
    const detach = (): void => {
      socket.removeListener('connect', onConnect);
      socket.removeListener('error', onError);
      socket.removeListener('close', onClose);
      socket.removeListener(readyEvent, onReady);
    };
    const onError = (error: unknown): void => {
      detach();
      this.#refused(error, offersSession);
    };
    const onClose = (): void =>
      onError(socket.errored ?? connectionReset('The connection was closed before it was ready'));
    const onReady = (): void => {
      detach();
      this.#succeed(socket);
    };
    if (socket.destroyed) {
      onClose();
      return;
    }
    if (socket.connecting) socket.on('connect', onConnect);
    else onConnect();
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.on(readyEvent, onReady);
  }

  /** A server, or a middlebox, may end a handshake because of the session that it offers. The agent has dropped that session: dials once more, without one. */
  #refused(error: unknown, offersSession: boolean): void {
    if (this.#isDone || !offersSession || !this.#mayRepeat || this.#wanted.httpSocket) {
      this.#fail(error);
      return;
    }
    this.#mayRepeat = false;
    if (this.#socket) discard(this.#socket);
    this.begin();
  }

  #timedOut(): void {
    if (this.#isDone) return;
    const { hostname, port } = this.#wanted;
    this.#fail(
      connectTimedOut(
        `The connection to ${hostname}:${port} was not ready within ${this.#settings.timeout} ms`,
      ),
    );
  }

  #succeed(socket: TLSSocket): void {
    if (!this.#finish()) return;
    try {
      socket.setNoDelay(true);
    } catch {
      // It is no socket of the system's, but some other stream.
    }
    isolate(() => this.#callback(null, socket));
  }

  #fail(error: unknown): void {
    if (!this.#finish()) return;
    if (this.#socket) discard(this.#socket);
    this.#request?.emit('close');
    // Code of others throws anything. Without an error, undici would take the dial for a success.
    const failure = (error || falsyFailure(error)) as Error;
    isolate(() => this.#callback(failure, null));
  }

  #finish(): boolean {
    if (this.#isDone) return false;
    this.#isDone = true;
    clearTimeout(this.#timer);
    return true;
  }
}

/** Destroys a socket that nobody gets, and silences its errors. */
function discard(socket: TLSSocket): void {
  try {
    socket.on('error', () => {}).destroy();
  } catch {
    // A stream that takes no listener has failed the dial.
  }
}

function isStream(value: unknown): value is TLSSocket {
  const { destroy, on } = (value ?? {}) as Partial<TLSSocket>;
  return typeof on === 'function' && typeof destroy === 'function';
}
