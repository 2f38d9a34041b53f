/**
 * Adds `Connection: close` to a request of `agent: false`. Node makes an agent for that one request, by `new agent.constructor()`. Node's own
 * agent keeps no connection by default, so that the request says `close`; ours cannot know at construction that it is made for one request.
 */
import { replaceHead } from './head-text.js';
import type { HeadFields } from './head-text.js';
import { givenHeader } from './request-headers.js';
import type { AgentRequest } from './types.js';

interface Internals extends HeadFields {
  shouldKeepAlive: boolean;
}

/** The line that Node writes if the caller has given none. */
const KEEP_ALIVE = '\r\nConnection: keep-alive\r\n';
const CLOSE = '\r\nConnection: close\r\n';

/** @param headers the request's option of that name */
export function sayClose(req: AgentRequest, headers: unknown): void {
  const internals = req as unknown as Internals;
  internals.shouldKeepAlive = false;
  // Headers that were given as a list, or with `Expect`, are text already.
  const { _header: header } = internals;
  if (typeof header !== 'string' || namesConnection(req, headers)) return;
  const at = header.lastIndexOf(KEEP_ALIVE);
  if (at === -1) return;
  replaceHead(internals, header, `${header.slice(0, at)}${CLOSE}${header.slice(at + KEEP_ALIVE.length)}`);
}

function namesConnection(req: AgentRequest, headers: unknown): boolean {
  if (givenHeader(req, 'connection') !== undefined) return true;
  if (!Array.isArray(headers)) return false;
  return headers.flat().some((part) => String(part).toLowerCase() === 'connection');
}
