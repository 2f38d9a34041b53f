/**
 * Sockets from outside: whether one that somebody hands over, by the agent's event 'free', may serve the agent's requests. http2-wrapper
 * hands over those that it has opened to ask which protocols a server speaks.
 *
 * Nobody can see of a socket how it was opened. It may serve others only if it cannot differ from one that the agent would open: the
 * agent adds nothing to the options that it is said to have been opened with, and it is connected, secured, verified and free.
 */
import { Agent } from 'node:https';
import { TLSSocket } from 'node:tls';
import { isPooled } from './pooled-socket.js';
import { forgetMessage, isParsed, messageOf } from '../node/exchange.js';
import { isInNodesPool } from '../node/listeners.js';
import { monotonicNow } from '../node/timers.js';
import { hasProxyConfig } from '../node/proxy-support.js';
import type { SocketLike } from '../node/types.js';
import { areConnectFunctionsOwn } from '../node/connect-functions.js';
import { isVerified } from '../sessions/session-key.js';
import type { ConnectingAgent } from './connector.js';
import { isKept, isUsable } from './hand-over.js';
import type { PendingDials } from './pending-dials.js';
import type { CurrentTls } from './current-tls.js';
import type { Hosts } from './hosts.js';
import type { Observer } from './observer.js';
import type { AgentKinds } from './pooled-socket.js';
import type { Pool } from '../pool/pool.js';
import { isUnaffected } from '../identity/identity.js';
import type { Options } from '../identity/identity.js';

/** Whether it still belongs to a request, or to another pool. */
function isTaken(socket: SocketLike): boolean {
  return (
    isPooled(socket) || messageOf(socket)?.destroyed === false || isParsed(socket) || isInNodesPool(socket)
  );
}

/** Whether `socket`, which is said to have been opened with `options`, is as good as one that `agent` opens for these. */
function isAdoptable(socket: SocketLike, options: Options, agent: ConnectingAgent): boolean {
  // Others may do something when a connection is opened, or on the way to a proxy: that was not done for this one.
  const isNodes = agent.createConnection === Agent.prototype.createConnection && areConnectFunctionsOwn();
  if (!isNodes || hasProxyConfig(agent)) return false;
  try {
    return isFree(socket) && isTrusted(socket, options) && isUnaffected(options, agent.options as Options);
  } catch {
    // Options that are no good.
    return false;
  }
}

function isFree(socket: SocketLike): boolean {
  const { connecting, destroyed, secureConnecting, writable } = socket;
  const isReady = !destroyed && writable && !connecting && secureConnecting === false;
  const message = messageOf(socket);
  return socket instanceof TLSSocket && isReady && (!message || isKept(message));
}

/** Verified, if that is asked for; and not agreed to speak something else than HTTP/1.1. */
function isTrusted(socket: SocketLike, options: Options): boolean {
  const { alpnProtocol, authorized } = socket as unknown as TLSSocket;
  if (authorized !== true && isVerified(options)) return false;
  return !alpnProtocol || alpnProtocol.startsWith('http/1');
}

export class Adoption {
  readonly #agent: ConnectingAgent;
  readonly #pool: Pool<AgentKinds>;
  readonly #hosts: Hosts;
  readonly #tls: CurrentTls;
  readonly #dials: PendingDials;
  readonly #observer: Observer;

  constructor(
    agent: ConnectingAgent,
    pool: Pool<AgentKinds>,
    hosts: Hosts,
    currentTls: CurrentTls,
    dials: PendingDials,
    observer: Observer,
  ) {
    this.#agent = agent;
    this.#pool = pool;
    this.#hosts = hosts;
    this.#tls = currentTls;
    this.#dials = dials;
    this.#observer = observer;
  }

  /** `socket` goes into the pool, or is closed. One that somebody else still has is left alone. */
  adopt(socket: SocketLike, options: Options): void {
    if (isTaken(socket)) return;
    this.#tls.refresh();
    const isWelcome = isAdoptable(socket, options, this.#agent);
    const connection = isWelcome ? this.#hosts.placeFor(options) : undefined;
    if (!connection) {
      socket.on('error', ignore).destroy();
      return;
    }
    connection.readyAt = monotonicNow();
    this.#observer.opened(connection, undefined);
    try {
      this.#dials.own(connection, socket, options);
    } catch {
      this.#pool.closed(connection);
      return;
    }
    if (isUsable(connection.pooled)) this.#pool.release(connection);
    else this.#pool.discard(connection);
    forgetMessage(socket);
  }
}

function ignore(): void {}
