/**
 * The rule that says which requests the inspector's own server answers. It listens on the loopback only, and still a page of somebody else's, open in a browser of this
 * machine, could ask: under a name of its own that it has let resolve to 127.0.0.1 (DNS rebinding) it could read the answers, too. The `Host` header
 * tells, since a browser sends the name that the page has.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Names that no one else can have resolve to somewhere: RFC 6761, section 6.3. Any port: it may be forwarded. */
const LOCAL = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/i;

export function isLocal(headers: IncomingHttpHeaders): boolean {
  const { host } = headers;
  if (host === undefined || !LOCAL.test(host)) return false;
  // A page of another site may link to this one. Anything else from there is none of its business.
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none' || isNavigation(headers);
}

function isNavigation(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}
