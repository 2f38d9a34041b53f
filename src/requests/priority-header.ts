/**
 * Reads `u=N` in the header `Priority` of a request (RFC 9218, section 4.1): browsers send it, proxies pass it on, and clients that take no options for their
 * requests can set it. Its other members are for the server.
 */
import { headerOf } from '../node/request-headers.js';
import { isPriority } from '../limits/priority.js';
import type { AgentRequest } from '../node/types.js';

/** A member of a dictionary (RFC 8941, section 3.2): its key and its value, without parameters. */
const MEMBER = /^([a-z*][a-z0-9_.*-]*)(?:=([^;]*))?(?:;.*)?$/;

/** The priority, 0 to 7. `undefined`: the header is absent or not valid. */
export function priorityInHeader(req: AgentRequest): number | undefined {
  let urgency: string | undefined;
  for (const member of textOf(req).split(',')) {
    const [, key, value] = MEMBER.exec(member.trim()) ?? [];
    // If a key occurs twice, the last one counts.
    if (key === 'u') urgency = value;
  }
  const priority = urgency !== undefined && /^\d{1,15}$/.test(urgency) ? Number(urgency) : undefined;
  return isPriority(priority) ? (priority ?? undefined) : undefined;
}

/** The text of the header without strings, which may contain commas. */
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
