/** Checks the options of `dispatch`, and translates them for Node's client. */
import type { RequestOptions } from 'node:http';
import { stringify } from 'node:querystring';
import { bodyOf } from './body.js';
import type { Body } from './body.js';
import { invalidArgument, requestLengthMismatch } from './errors.js';
import type { Origin } from './origins.js';
import { RequestHeaders } from './request-headers.js';
import { timeLimit } from './timeouts.js';
import type { DispatchOptions } from './types.js';

/** The limits of one request, in milliseconds and bytes; `Infinity`: none. */
export interface Limits {
  readonly headersTimeout: number;
  readonly bodyTimeout: number;
  readonly maxResponseSize: number;
}

export interface Outgoing {
  readonly options: RequestOptions;
  readonly body: Body | undefined;
  /** The announced length of the body in bytes. */
  readonly length: number | undefined;
  readonly limits: Limits;
  /** Whether it asks for another protocol. */
  readonly upgrades: boolean;
  readonly awaitsContinue: boolean;
}

/** Methods that mostly have a body, as in undici: for these, a length of 0 is sent. */
const WITH_BODY: ReadonlySet<string> = new Set(['PUT', 'POST', 'PATCH', 'QUERY', 'PROPFIND', 'PROPPATCH']);

/** Methods for which a length in the headers is not compared with the body's, as in undici. */
const UNCOMPARED: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'CONNECT']);

/** Methods with which servers expect no body and may take it for the next request: no request may follow on that connection. */
const BODY_UNEXPECTED: ReadonlySet<string> = new Set(['GET', 'HEAD', 'TRACE']);

/**
 * Hot path.
 *
 * @throws `UND_ERR_INVALID_ARG`, `UND_ERR_REQ_CONTENT_LENGTH_MISMATCH`
 */
export function outgoing(
  given: DispatchOptions,
  origin: Origin,
  defaults: Limits,
  maxHeaderSize: number | undefined,
): Outgoing {
  const method = methodOf(given);
  const path = pathOf(given, method);
  const upgrade = upgradeOf(given);
  checkRest(given);
  const headers = new RequestHeaders(given.headers, origin.host);
  const body = bodyOf(given.body);
  const length = lengthOf(body, headers.length, method);
  if (length !== undefined) headers.set('content-length', String(length));
  if (body?.type && !headers.hasType) headers.set('content-type', body.type);
  const awaitsContinue = body !== undefined && (headers.expectsContinue || given.expectContinue === true);
  if (awaitsContinue) {
    headers.set('expect', '100-continue');
    // The headers are sent before the body exists.
    if (length === undefined) headers.set('transfer-encoding', 'chunked');
  }
  if (upgrade !== undefined) {
    headers.set('connection', 'upgrade');
    headers.set('upgrade', upgrade);
  } else if (isLast(given, headers, body !== undefined && BODY_UNEXPECTED.has(method))) {
    headers.set('connection', 'close');
  }
  return {
    options: {
      agent: origin.agent,
      host: origin.hostname,
      port: origin.port,
      method,
      path,
      headers: headers.fields,
      // There is always one, which may be empty: Node's client would replace that.
      setHost: false,
      ...(given.servername && { servername: given.servername }),
      ...(given.priority !== undefined && { priority: given.priority }),
      ...(maxHeaderSize !== undefined && { maxHeaderSize }),
    },
    body,
    length,
    limits: limitsOf(given, defaults),
    upgrades: upgrade !== undefined || method === 'CONNECT',
    awaitsContinue,
  };
}

/** In capitals, as Node's client sends it. Node's client refuses what is no token. */
function methodOf({ method }: DispatchOptions): string {
  if (typeof method !== 'string' || method === '') throw invalidArgument('method must be a non-empty string');
  return method.toUpperCase();
}

/** Node's client refuses control characters and the like. */
function pathOf({ path, query }: DispatchOptions, method: string): string {
  if (typeof path !== 'string') throw invalidArgument('path must be a string');
  if (!path.startsWith('/') && !/^https?:\/\//.test(path) && method !== 'CONNECT')
    throw invalidArgument('path must be an absolute URL or start with a slash');
  if (query === undefined || query === null) return path;
  if (typeof query !== 'object') throw invalidArgument('query must be an object');
  if (/[?#]/.test(path))
    throw invalidArgument('Query params cannot be passed when url already contains "?" or "#".');
  const text = stringify(query as Parameters<typeof stringify>[0]);
  return text ? `${path}?${text}` : path;
}

function upgradeOf({ upgrade }: DispatchOptions): string | undefined {
  if (!upgrade) return undefined;
  if (typeof upgrade !== 'string') throw invalidArgument('upgrade must be a string');
  return upgrade;
}

function checkRest(given: DispatchOptions): void {
  const { reset, expectContinue, maxRedirections, servername } = given;
  if (!isOptional(reset, 'boolean')) throw invalidArgument('invalid reset');
  if (!isOptional(expectContinue, 'boolean')) throw invalidArgument('invalid expectContinue');
  if (!isOptional(servername, 'string')) throw invalidArgument('invalid servername');
  if (maxRedirections !== undefined && maxRedirections !== null && maxRedirections !== 0)
    throw invalidArgument('maxRedirections is not supported, use the redirect interceptor');
}

function isOptional(value: unknown, type: string): boolean {
  return value === undefined || value === null || typeof value === type;
}

function lengthOf(body: Body | undefined, announced: number | undefined, method: string): number | undefined {
  if (!body) return WITH_BODY.has(method) ? 0 : undefined;
  const { length } = body;
  if (length === undefined) return announced;
  if (announced !== undefined && announced !== length && length > 0 && !UNCOMPARED.has(method))
    throw requestLengthMismatch();
  return length;
}

function isLast({ reset }: DispatchOptions, { closes }: RequestHeaders, hasUnexpectedBody: boolean): boolean {
  return reset ?? (closes || hasUnexpectedBody);
}

function limitsOf({ headersTimeout, bodyTimeout }: DispatchOptions, defaults: Limits): Limits {
  const ofHeaders = limitOf('headersTimeout', headersTimeout);
  const ofBody = limitOf('bodyTimeout', bodyTimeout);
  if (ofHeaders === undefined && ofBody === undefined) return defaults;
  return {
    headersTimeout: ofHeaders ?? defaults.headersTimeout,
    bodyTimeout: ofBody ?? defaults.bodyTimeout,
    maxResponseSize: defaults.maxResponseSize,
  };
}

/**
 * A checked limit. `undefined`: not given; `Infinity`: no limit.
 *
 * @throws `UND_ERR_INVALID_ARG`
 */
function limitOf(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0)
    throw invalidArgument(`invalid ${name}`);
  return timeLimit(value);
}
