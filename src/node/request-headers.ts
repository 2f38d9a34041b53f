/**
 * Reads the headers of a request of Node's client. Node keeps those that were given as a list, or with `Expect`, only as the text
 * that it will send; all others can be asked for.
 */
import type { AgentRequest } from './types.js';

/** A header as it was given, whatever its letter case: text, a number, or a list. `undefined`: there is none. */
export function headerOf(req: AgentRequest, name: string): unknown {
  const value = req.getHeader(name);
  if (value !== undefined || typeof req._header !== 'string') return value;
  const lines = [...req._header.matchAll(new RegExp(`^${name}:[ \\t]*(.*)$`, 'gim'))];
  return lines.length > 1 ? lines.map((line) => line[1]) : lines[0]?.[1];
}

/**
 * Hot path. Whether `req` says that it is the last one on its connection: then none may follow, whatever the response says (RFC 9112,
 * section 9.6). Node's client heeds only what the response says.
 */
export function saysClose(req: AgentRequest): boolean {
  if (typeof req.getHeader !== 'function') return false;
  try {
    return namesClose(req);
  } catch {
    // A header that is an object whose `toString` throws.
    return true;
  }
}

/** Hot path. */
function namesClose(req: AgentRequest): boolean {
  const value: unknown = req.getHeader('connection');
  // Of headers that were given as an object, Node knows the host as well: there is no need to look at the text.
  if (value === undefined && req.getHeader('host') !== undefined) return false;
  return String(value ?? headerOf(req, 'connection'))
    .split(',')
    .some(isClose);
}

function isClose(option: string): boolean {
  return option.trim().toLowerCase() === 'close';
}

/** Hot path. Whether the method of `req` is one that often has a body: Node sends one without a length in chunks, then. */
export function mayHaveBody(req: AgentRequest): boolean {
  return req.useChunkedEncodingByDefault;
}
