/**
 * Sockets from outside. Other code may hand a socket over by the agent's event 'free': http2-wrapper does so with sockets that it has opened to
 * ask which protocols a server speaks. Decides whether such a socket may serve the agent's requests.
 *
 * A socket does not show how it was opened. It may serve others only if it cannot differ from one that the agent would open: the agent adds
 * nothing to the options that come with it, and it is connected, secured, verified and free.
 */
import { isPooled } from './pooled-socket.js';
import { discard } from '../node/foreign.js';
import { forgetMessage, isParsed, messageOf } from '../node/exchange.js';
import { isInNodesPool } from '../node/listeners.js';
import { monotonicNow } from '../node/timers.js';
import type { SocketLike } from '../node/types.js';
import type { ConnectingAgent } from './dials/connector.js';
import { isKept, isUsable } from './hand-over.js';
import type { PendingDials } from './dials/pending-dials.js';
import type { CurrentOptions } from './current-options.js';
import type { Hosts } from './hosts.js';
import type { Observer } from './observer.js';
import type { Transport } from './dials/transport.js';
import type { AgentKinds } from './pooled-socket.js';
import type { Pool } from '../pool/pool.js';
import { isUnaffected } from '../identity/identity.js';
import type { Options } from '../identity/identity.js';

/** Whether `socket` still belongs to a request, or to another pool. */
function isTaken(socket: SocketLike): boolean {
  return (
    isPooled(socket) || messageOf(socket)?.destroyed === false || isParsed(socket) || isInNodesPool(socket)
  );
}

/** Whether `socket`, which is said to have been opened with `options`, is as good as one that `agent` opens for these. */
function isAdoptable(
  socket: SocketLike,
  options: Options,
  agent: ConnectingAgent,
  transport: Transport,
): boolean {
  // Replaced functions may do more when a connection is opened; that was not done for this one.
  if (!transport.isNodes(agent.createConnection)) return false;
  try {
    const isGood = isFree(socket) && transport.isSound(socket, options);
    return isGood && isUnaffected(options, agent.options as Options, transport.protocol);
  } catch {
    // The options are not valid.
    return false;
  }
}

function isFree(socket: SocketLike): boolean {
  const { connecting, destroyed, writable } = socket;
  const message = messageOf(socket);
  return !destroyed && writable && !connecting && (!message || isKept(message));
}

export class Adoption {
  readonly #agent: ConnectingAgent;
  readonly #pool: Pool<AgentKinds>;
  readonly #hosts: Hosts;
  readonly #current: CurrentOptions;
  readonly #dials: PendingDials;
  readonly #transport: Transport;
  readonly #observer: Observer;

  constructor(
    agent: ConnectingAgent,
    pool: Pool<AgentKinds>,
    hosts: Hosts,
    current: CurrentOptions,
    dials: PendingDials,
    transport: Transport,
    observer: Observer,
  ) {
    this.#agent = agent;
    this.#pool = pool;
    this.#hosts = hosts;
    this.#current = current;
    this.#dials = dials;
    this.#transport = transport;
    this.#observer = observer;
  }

  /** Puts `socket` into the pool, or closes it. A socket that a request or another pool still has is left alone. */
  adopt(socket: SocketLike, options: Options): void {
    if (isTaken(socket)) return;
    this.#current.refresh();
    const isWelcome = isAdoptable(socket, options, this.#agent, this.#transport);
    const connection = isWelcome ? this.#hosts.slotFor(options) : undefined;
    if (!connection) {
      discard(socket);
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
