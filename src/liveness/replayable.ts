/**
 * Whether a request could be sent twice without harm, by what is known of it when it asks for a connection: its method
 * and its headers. Its body is still to come; a request that announces none has nothing that could be lost.
 */
import type { AgentRequest } from '../node-internals.js';

/** RFC 9110, section 9.2.2: several of them have the effect of one. */
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE']);

/** Idempotent by its method or by its `Idempotency-Key`, and no body to follow. */
export function isReplayable(req: AgentRequest): boolean {
  if (typeof req.getHeader !== 'function') return false;
  return isIdempotent(req) && !expectsBody(req);
}

/** By its method, or because the server knows it again by its `Idempotency-Key`, or `X-Idempotency-Key`, as some call it. */
export function isIdempotent(req: AgentRequest): boolean {
  return (
    IDEMPOTENT.has(req.method) ||
    headerOf(req, 'idempotency-key') !== undefined ||
    headerOf(req, 'x-idempotency-key') !== undefined
  );
}

function expectsBody(req: AgentRequest): boolean {
  if (headerOf(req, 'transfer-encoding') !== undefined) return true;
  const length = headerOf(req, 'content-length');
  if (length !== undefined) return Number(length) !== 0;
  // Without a length, Node sends a body in chunks, unless the method is one that seldom has any.
  return req.useChunkedEncodingByDefault;
}

/** Node stores headers that were given as a list, or with `Expect`, only as the text that it will send. */
function headerOf(req: AgentRequest, name: string): unknown {
  if (typeof req.getHeader !== 'function') return undefined;
  const value = req.getHeader(name);
  if (value !== undefined || typeof req._header !== 'string') return value;
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'im').exec(req._header)?.[1];
}
