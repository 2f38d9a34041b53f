/** Whether a connection whose exchange is over may be given to another request, by what the two sides have said and done in it. */
import type { PooledSocket } from './pooled-socket.js';
import { isLast } from '../lifetimes/keep-alive-hint.js';
import { saysClose } from '../node/request-headers.js';
import type { AgentRequest } from '../node/types.js';

/** Hot path. The request that has `pooled` leaves it. */
export function allowsAnother(pooled: PooledSocket): boolean {
  const { request } = pooled;
  if (pooled.poisoned || pooled.isOneOff || isLast(pooled.hint)) return false;
  // What was never sent has said nothing.
  return !request || isKept(request) || (request.shouldKeepAlive && pooled.isUnsent);
}

/** Hot path. As far as `request` and its response say, another one may follow on its connection. */
export function isKept(request: AgentRequest): boolean {
  return request.shouldKeepAlive !== false && !saysClose(request);
}
