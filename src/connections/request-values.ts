/**
 * The wishes of a request for the connection that it gets, where that is open already. Node validates these values when it opens a connection
 * and nowhere else; what is wrong is an error of the request here, as it is there, and no exception on anybody's stack: the
 * connection serves the next request.
 */
import { invalidType, invalidValue } from '../errors.js';
import { callIfAble } from '../node/foreign.js';
import { setHighWaterMark } from '../node/socket.js';
import type { AgentRequest, SocketLike } from '../node/types.js';

export function applyHighWaterMark(socket: SocketLike, req: AgentRequest, value: unknown): void {
  // As for a new stream.
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) setHighWaterMark(socket, value);
  else refuse(req, invalidValue('options.highWaterMark', 'an integer >= 0', value));
}

/** @param timeout `req.timeout`, which somebody may have written after Node had validated the option, or the agent's */
export function applyTimeout(socket: SocketLike, req: AgentRequest, timeout: unknown): void {
  if (typeof timeout === 'number' && timeout >= 0 && timeout !== Infinity)
    callIfAble(socket, 'setTimeout', timeout);
  else refuse(req, invalidType('timeout', 'a number of milliseconds >= 0', timeout));
}

/** Node's client gives back a socket whose request was destroyed before it could use it. */
function refuse(req: AgentRequest, error: Error): void {
  if (typeof req.destroy === 'function') req.destroy(error);
}
