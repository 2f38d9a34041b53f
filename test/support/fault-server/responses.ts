/**
 * Responses that tell whom they are for. Each carries the id of the request that it answers (`X-Tag`, and both ends of
 * its body) and a serial number (`X-Serial`), under which the server remembers when it was written. One that went out in
 * one piece with the response before it says that, too (`X-Attached`).
 *
 * HTTP/1.1 takes the first response that comes after a request for its answer. So a stray one that crosses the next
 * request on its way reaches that request, whatever the client does. Only what the client could have read before it
 * wrote the request is its fault: see `knowable`.
 */
import type { IncomingHttpHeaders } from 'node:http';

/** The tag of responses that nobody asked for. */
export const NOBODY = '-';

export interface Written {
  readonly serial: number;
  /** The request that it answers, or `NOBODY`. */
  readonly tag: string;
  /** It went out in one piece with the response before it: whoever has read that one to its end had this one at hand. */
  readonly attached: boolean;
  /**
   * The turn of the event loop, where server and client share one. Node may send it as late as at the end of the next
   * turn, when the write before it is done.
   */
  readonly turn: number | undefined;
}

/** Turns of this thread's event loop. One is counted before each poll for I/O. */
export function turnOfLoop(): number {
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}

/**
 * Whether a client that wrote its request in `turn` could have read a stray response before: the loop has polled, and
 * acted upon all that it found, between the two.
 */
export function knowable(written: Written | undefined, turn: number): boolean {
  return written?.turn !== undefined && turn >= written.turn + 3;
}

export interface ResponseParts {
  readonly tag: string;
  /** Bytes of the body between its two tags. Default: none. */
  readonly filler?: number;
  /** In place of `filler`: how long the whole response shall be, from 10,500 bytes on. */
  readonly size?: number;
  readonly status?: string;
  readonly headers?: readonly string[];
  /** The text that replaces `Content-Length` and body. */
  readonly framing?: (body: string) => string;
  /** An answer to HEAD: everything but the body. */
  readonly headOnly?: boolean;
}

function bodyOf(tag: string, filler: number): string {
  return `${tag}|${'.'.repeat(filler)}|${tag}`;
}

export function responseOf(parts: ResponseParts): string {
  const { tag, status = '200 OK', headers = [], framing = withLength, headOnly = false } = parts;
  const lines = [`HTTP/1.1 ${status}`, `X-Tag: ${tag}`, ...headers];
  const head = `${lines.join('\r\n')}\r\n`;
  let rest = framing(bodyOf(tag, parts.filler ?? 0));
  if (parts.size !== undefined) {
    const digits = /\d+/.exec(rest)?.[0].length ?? 0;
    rest = framing(bodyOf(tag, parts.size - head.length - rest.length - 5 + digits));
  }
  return head + (headOnly ? rest.slice(0, rest.indexOf('\r\n\r\n') + 4) : rest);
}

function withLength(body: string): string {
  return `Content-Length: ${body.length}\r\n\r\n${body}`;
}

export function inChunks(body: string): string {
  const middle = Math.ceil(body.length / 2);
  return `Transfer-Encoding: chunked\r\n\r\n${[body.slice(0, middle), body.slice(middle)].map(chunk).join('')}${chunk('')}`;
}

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

/** The part of a response by which a client judges it. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** It came to its end, and had a body to come to it with. */
  readonly whole: boolean;
}

/** The tag that a response carries. `undefined`: none, or more than one, so that it is not one response. */
export function tagOf({ headers, body, whole }: Received): string | undefined {
  const tag = headers['x-tag'];
  if (typeof tag !== 'string') return undefined;
  if (whole && !(body.startsWith(`${tag}|`) && body.endsWith(`|${tag}`))) return undefined;
  return tag;
}
