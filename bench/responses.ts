/** The bytes that go over the wire. Every byte is fixed, so that the floor without HTTP can count bytes instead of parsing. */

/** The body of every response, and of every request that has one. */
export const BODY = '{"ok":true}';

function response(...headers: string[]): string {
  return [
    'HTTP/1.1 200 OK',
    'Content-Type: application/json',
    'Date: Thu, 01 Jan 2026 00:00:00 GMT',
    'Connection: keep-alive',
    ...headers,
    `Content-Length: ${BODY.length}`,
    '',
    BODY,
  ].join('\r\n');
}

/** As most servers and proxies answer. */
export const RESPONSE: string = response();

/** As Node's own servers answer, which say for how long they keep an idle connection. */
export const RESPONSE_WITH_HINT: string = response('Keep-Alive: timeout=60');

/** The end of a request's head, and so of a request without a body. */
export const END_OF_HEAD = '\r\n\r\n';

/** The request as Node's client writes it. */
export function requestTo(host: string, port: number): string {
  return `GET / HTTP/1.1\r\nHost: ${host}:${port}\r\nConnection: keep-alive${END_OF_HEAD}`;
}
