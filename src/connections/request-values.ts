/**
 * Applies the options of a request (`highWaterMark`, `timeout`) to a connection that is open already. Node validates these values only when it
 * opens a connection. Here, too, a value that is not valid is an error of the request, and no exception; the connection serves the next one.
 */
import { invalidType, invalidValue } from '../errors.js';
import { callIfAble } from '../node/foreign.js';
import { setHighWaterMark } from '../node/socket.js';
import type { AgentRequest, SocketLike } from '../node/types.js';

export function applyHighWaterMark(socket: SocketLike, req: AgentRequest, value: unknown): void {
  // The same check as for a new stream.
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) setHighWaterMark(socket, value);
  else refuse(req, invalidValue('options.highWaterMark', 'an integer >= 0', value));
}

/** @param timeout `req.timeout`, which may have been written after Node had validated the option, or the agent's */
export function applyTimeout(socket: SocketLike, req: AgentRequest, timeout: unknown): void {
  if (typeof timeout === 'number' && timeout >= 0 && timeout !== Infinity)
    callIfAble(socket, 'setTimeout', timeout);
  else refuse(req, invalidType('timeout', 'a number of milliseconds >= 0', timeout));
}

/** Node's client gives back a socket whose request was destroyed before it could use it. */
function refuse(req: AgentRequest, error: Error): void {
  if (typeof req.destroy === 'function') req.destroy(error);
}
