/**
 * A request that nobody's follows on its connection says so. `agent: false` makes an agent for one request, by `new
 * agent.constructor()`; Node's own keeps nothing open by default and has the request say `Connection: close`, but ours cannot tell then
 * what it is made for.
 */
import type { AgentRequest } from './types.js';

/** Fields of a request that Node does not document. */
interface Internals {
  shouldKeepAlive: boolean;
  _header?: string | null;
  outputData?: { data: unknown }[];
  outputSize: number;
}

/** The line as Node writes it, where the caller has given none. */
const KEEP_ALIVE = '\r\nConnection: keep-alive\r\n';
const CLOSE = '\r\nConnection: close\r\n';

/** @param headers the request's option of that name */
export function sayClose(req: AgentRequest, headers: unknown): void {
  const internals = req as unknown as Internals;
  internals.shouldKeepAlive = false;
  // Headers that were given as a list, or with `Expect`, are text by now.
  const { _header: header } = internals;
  if (typeof header !== 'string' || namesConnection(req, headers)) return;
  const at = header.lastIndexOf(KEEP_ALIVE);
  if (at === -1) return;
  const changed = `${header.slice(0, at)}${CLOSE}${header.slice(at + KEEP_ALIVE.length)}`;
  internals._header = changed;
  // With `Expect` it is on its way, as far as that goes without a connection.
  const first = internals.outputData?.[0];
  if (typeof first?.data !== 'string' || !first.data.startsWith(header)) return;
  first.data = changed + first.data.slice(header.length);
  internals.outputSize += changed.length - header.length;
}

function namesConnection(req: AgentRequest, headers: unknown): boolean {
  if (req.getHeader('connection') !== undefined) return true;
  if (!Array.isArray(headers)) return false;
  return headers.flat().some((part) => String(part).toLowerCase() === 'connection');
}
