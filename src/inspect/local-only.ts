/**
 * Decides which requests the inspector's own server answers. It listens on the loopback only. But a foreign page in a browser of this machine could send requests, and read the
 * answers under a name of its own that resolves to 127.0.0.1 (DNS rebinding). The `Host` header shows that, because a browser sends the name of
 * the page.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** Names that always mean this machine (RFC 6761, section 6.3). Any port: it may be forwarded. */
const LOCAL = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/i;

export function isLocal(headers: IncomingHttpHeaders): boolean {
  const { host } = headers;
  if (host === undefined || !LOCAL.test(host)) return false;
  // A page of another site may link to this page, but not read from it.
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none' || isNavigation(headers);
}

function isNavigation(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}
