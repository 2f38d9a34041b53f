/**
 * Reads the headers of a request of Node's client. Headers that were given as a list, or with `Expect`, exist only as the text that Node will
 * send; `getHeader` has all others.
 */
import type { AgentRequest } from './types.js';

/** A pattern for each header that was ever asked for, of which there are few: making one takes longer than finding it. */
const linesNamed = new Map<string, RegExp>();

/** The value of a header as it was given, in any letter case: text, a number, or a list. `undefined`: there is none. */
export function headerOf(req: AgentRequest, name: string): unknown {
  const value = req.getHeader(name);
  if (value !== undefined || typeof req._header !== 'string') return value;
  let pattern = linesNamed.get(name);
  if (!pattern) linesNamed.set(name, (pattern = new RegExp(`^${name}:[ \\t]*(.*)$`, 'gim')));
  if (req._header.search(pattern) < 0) return undefined;
  const lines = [...req._header.matchAll(pattern)];
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
    // The header is an object whose `toString` throws.
    return true;
  }
}

/** Hot path. */
function namesClose(req: AgentRequest): boolean {
  const value: unknown = req.getHeader('connection');
  // If `getHeader` has the host, it has all headers, and the text need not be read.
  if (value === undefined && req.getHeader('host') !== undefined) return false;
  return String(value ?? headerOf(req, 'connection'))
    .split(',')
    .some(isClose);
}

function isClose(option: string): boolean {
  return option.trim().toLowerCase() === 'close';
}

/**
 * Hot path. Whether the head of `req` does not say where a body ends. Node's client sends the body of a GET, say, all the same, and the server takes
 * it for the next request on the connection.
 */
export function leavesEndOpen(req: AgentRequest): boolean {
  return req._last === true && req._contentLength !== 0;
}

/** Hot path. Whether the method of `req` often has a body: Node sends that in chunks if its length is not known. */
export function mayHaveBody(req: AgentRequest): boolean {
  return req.useChunkedEncodingByDefault;
}
