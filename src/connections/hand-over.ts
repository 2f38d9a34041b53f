/** Whether a connection whose exchange is over may be given to another request, by what the two sides have said and done in it. */
import type { Channel } from '../channel.js';
import { isLast } from '../liveness/keep-alive-hint.js';
import { saysClose } from '../node/client-request.js';
import type { AgentRequest } from '../node-internals.js';

/** Hot path. The request that has `channel` leaves it. */
export function allowsAnother(channel: Channel): boolean {
  const { request } = channel;
  if (channel.poisoned || channel.isOneOff || isLast(channel.hint)) return false;
  // What was never sent has said nothing.
  return !request || isKept(request) || (request.shouldKeepAlive && channel.isUnsent);
}

/** Hot path. As far as `request` and its response say, another one may follow on its connection. */
export function isKept(request: AgentRequest): boolean {
  return request.shouldKeepAlive !== false && !saysClose(request);
}
