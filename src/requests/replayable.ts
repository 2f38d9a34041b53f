/**
 * Decides which requests may be sent twice: by Go's rule and the option `replay`. It promises never to allow a second sending that the server
 * may answer otherwise: not with a header that makes the request conditional on the effect of the first one, or that overrides its method,
 * whatever else allows it.
 *
 * Headers count in any letter case and in each form that Node takes them in. They are read when the question is asked: headers may be
 * set after the request has asked for a connection.
 */
import { atLeastZero } from '../validate.js';
import { invalidType, invalidValue } from '../errors.js';
import { hasAnyHeader, headerOf, mayHaveBody } from '../node/request-headers.js';
import type { AgentRequest } from '../node/types.js';

/** The safe methods (RFC 9110, section 9.2.1). PUT and DELETE are idempotent, but the second one may be answered otherwise. */
const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** The server recognises a request by its key. */
const KEYS: readonly string[] = ['idempotency-key', 'x-idempotency-key'];

/** Conditions (RFC 9110, section 13.1) that the first sending may have changed. GET and HEAD change nothing. */
const CONDITIONS: readonly string[] = ['if-match', 'if-none-match', 'if-unmodified-since'];

/** Headers with the method that the server really uses. */
const OVERRIDES: readonly string[] = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** Headers that announce a body. */
const FRAMING: readonly string[] = ['transfer-encoding', 'content-length'];

/** These are sent again by their `Idempotency-Key` alone; a tunnel is not sent again at all. */
const REFUSED: ReadonlySet<string> = new Set(['POST', 'PATCH', 'CONNECT']);

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;

/** A request that met three dead connections in a row has met something else. */
const MAX_REPLAYS = 3;

export class ReplayRule {
  /** The number of times that a request may be sent again. `0`: never. */
  readonly max: number;
  readonly #methods: ReadonlySet<string>;

  constructor(max: number = MAX_REPLAYS, methods: readonly string[] = []) {
    this.max = max;
    this.#methods = new Set([...SAFE, ...methods]);
  }

  /**
   * Whether `req` may get a connection that is about to be closed, by its method and its headers. A request that announces no body has nothing
   * that could be lost.
   */
  mayRisk(req: AgentRequest): boolean {
    return this.max > 0 && this.isRepeatable(req) && !expectsBody(req);
  }

  /** Whether `req` may be sent again although some or all of it was written, by its method and its headers. */
  isRepeatable(req: AgentRequest): boolean {
    if (typeof req.getHeader !== 'function') return false;
    const { method } = req;
    if (!this.#methods.has(method) && !KEYS.some((name) => isGiven(headerOf(req, name)))) return false;
    const isConditional = method !== 'GET' && method !== 'HEAD' && hasAnyHeader(req, CONDITIONS);
    return !isConditional && !hasAnyHeader(req, OVERRIDES);
  }
}

/** Checks the option `replay`: a boolean, a number of times, or an object. */
export function replayRule(name: string, value: unknown): ReplayRule {
  if (typeof value === 'boolean') return new ReplayRule(value ? MAX_REPLAYS : 0);
  if (typeof value === 'number' || typeof value === 'string') return new ReplayRule(atLeastZero(name, value));
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidType(name, 'of type boolean, number or object', value);
  const { max, methods } = value as { max?: unknown; methods?: unknown };
  return new ReplayRule(
    max === undefined || max === null ? MAX_REPLAYS : atLeastZero(`${name}.max`, max),
    methods === undefined || methods === null ? [] : methodsOf(`${name}.methods`, methods),
  );
}

function methodsOf(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw invalidType(name, 'an array of strings', value);
  // Not `map`, which skips holes.
  return Array.from(value, (method: unknown, i) => {
    if (typeof method !== 'string') throw invalidType(`${name}[${i}]`, 'of type string', method);
    // Node's client sends methods in upper case, however they are given.
    const upper = method.toUpperCase();
    if (!TOKEN.test(method)) throw invalidValue(`${name}[${i}]`, 'an HTTP method', method);
    if (REFUSED.has(upper)) {
      const why = upper === 'CONNECT' ? 'which is never sent again' : 'which takes an Idempotency-Key header';
      throw invalidValue(`${name}[${i}]`, `another method than ${upper}, ${why}`, method);
    }
    return upper;
  });
}

/** Hot path. */
function expectsBody(req: AgentRequest): boolean {
  if (hasAnyHeader(req, FRAMING)) {
    const length = headerOf(req, 'content-length');
    return headerOf(req, 'transfer-encoding') !== undefined || Number(length) !== 0;
  }
  // Without a length, Node sends a body in chunks, unless the method is one that seldom has any.
  return mayHaveBody(req);
}

/** An empty key tells no request from another. */
function isGiven(value: unknown): boolean {
  return value !== undefined && String(value).trim() !== '';
}
