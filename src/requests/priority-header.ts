/**
 * The header `Priority: u=N` of a request (RFC 9218, section 4.1): browsers send it, proxies pass it on, and clients that take no options for their requests
 * can set it. The rest of it is for the server.
 */
import { headerOf } from '../node/request-headers.js';
import { isPriority } from '../limits/priority.js';
import type { AgentRequest } from '../node/types.js';

/** A member of a dictionary (RFC 8941, section 3.2), as far as it matters: its key, and what it is set to, without parameters. */
const MEMBER = /^([a-z*][a-z0-9_.*-]*)(?:=([^;]*))?(?:;.*)?$/;

/** 0 to 7. `undefined`: it has none, or one that is not valid, which counts for nothing. */
export function priorityInHeader(req: AgentRequest): number | undefined {
  let urgency: string | undefined;
  for (const member of textOf(req).split(',')) {
    const [, key, value] = MEMBER.exec(member.trim()) ?? [];
    // A key that comes again stands for the last one.
    if (key === 'u') urgency = value;
  }
  const priority = urgency !== undefined && /^\d{1,15}$/.test(urgency) ? Number(urgency) : undefined;
  return isPriority(priority) ? (priority ?? undefined) : undefined;
}

/** In strings there may be commas, and none of them matters. */
function textOf(req: AgentRequest): string {
  let text;
  try {
    text = String(headerOf(req, 'priority') ?? '');
  } catch {
    // A custom request, or a header that is an object whose `toString` throws.
    return '';
  }
  return text.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
}
