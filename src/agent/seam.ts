/** The methods of Node's agents that both classes have: what each does with its pool. */
import { pooledSocketOf } from '../connections/pooled-socket.js';
import type { AgentPool } from '../connections/agent-pool.js';
import type { Options } from '../identity/identity.js';
import { callIfAble } from '../node/foreign.js';
import { isReferenced } from '../node/handle.js';
import { comesBack, intercept, interceptor, isNodesCallback, ownOptionsOf } from '../node/interception.js';
import { timerOf } from '../node/socket.js';
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { Deliver } from '../requests/pending-request.js';
import { requestOptions } from './request-options.js';

/** An agent, as far as these methods need it. */
interface SeamAgent {
  readonly options: object;
  readonly keepAliveMsecs: number;
}

/** Hot path. */
export function addRequest(
  agent: object,
  pool: AgentPool,
  req: AgentRequest,
  options: object | string,
  legacy: unknown[],
): void {
  if (interceptor() !== undefined) {
    intercept(agent, req, options, legacy);
  } else if (typeof options === 'string') {
    const [port, localAddress] = legacy;
    pool.acquire(req, { host: options, port, localAddress });
  } else {
    pool.acquire(req, requestOptions(options));
  }
}

export function createSocket(
  agent: SeamAgent,
  pool: AgentPool,
  req: AgentRequest,
  options: object,
  callback: Deliver,
): void {
  if (!pool.isDialling(req) && (comesBack(req) || interceptor() !== undefined)) {
    // A request that comes from Node's `addRequest` is served like any other. Other callers get a new socket.
    const deliver = isNodesCallback(callback) ? undefined : callback;
    pool.acquire(req, ownOptionsOf(options, agent.options), deliver);
    return;
  }
  pool.open(req, options as Options, callback);
}

export function keepSocketAlive(agent: SeamAgent, socket: SocketLike): boolean {
  callIfAble(socket, 'setKeepAlive', true, agent.keepAliveMsecs);
  callIfAble(socket, 'unref');
  // The pool's clock closes idle sockets, and a request's timeout ends with the request. A timeout that other code has set stays.
  const pooled = pooledSocketOf(socket);
  const isOwn = !pooled || pooled.requestTimer === timerOf(socket);
  if (socket.timeout && isOwn) callIfAble(socket, 'setTimeout', 0);
  return true;
}

export function reuseSocket(socket: SocketLike, req: AgentRequest): void {
  req.reusedSocket = true;
  if (!isReferenced(socket)) callIfAble(socket, 'ref');
}
