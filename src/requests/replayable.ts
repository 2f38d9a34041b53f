/**
 * The rule that says which requests may be sent twice: Go's, and the option `replay`. It promises that a second sending which could be
 * told from the first is never taken for harmless: a header that makes the request conditional on what the first one has changed, or that
 * hides another method, speaks against it, whatever else speaks for it.
 *
 * Headers count in any letter case and in each form that Node takes them in. They are read when the question is asked: headers may be
 * set after the request has asked for a connection.
 */
import { atLeastZero } from '../validate.js';
import { invalidType, invalidValue } from '../errors.js';
import { headerOf, mayHaveBody } from '../node/request-headers.js';
import type { AgentRequest } from '../node/types.js';

/** The safe methods (RFC 9110, section 9.2.1). PUT and DELETE are idempotent, but the second one may be answered otherwise. */
const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

/** The server knows a request again by its key. */
const KEYS: readonly string[] = ['idempotency-key', 'x-idempotency-key'];

/** Conditions (RFC 9110, section 13.1) that the first sending may have changed. GET and HEAD change nothing. */
const CONDITIONS: readonly string[] = ['if-match', 'if-none-match', 'if-unmodified-since'];

/** The method that the server really goes by. */
const OVERRIDES: readonly string[] = ['x-http-method-override', 'x-http-method', 'x-method-override'];

/** These are sent again by their `Idempotency-Key` alone; a tunnel is not sent again at all. */
const REFUSED: ReadonlySet<string> = new Set(['POST', 'PATCH', 'CONNECT']);

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;

/** A request that met three dead connections in a row has met something else. */
const MAX_REPLAYS = 3;

export class ReplayRule {
  /** How often a request may be sent again. `0`: never. */
  readonly max: number;
  readonly #methods: ReadonlySet<string>;

  constructor(max: number = MAX_REPLAYS, methods: readonly string[] = []) {
    this.max = max;
    this.#methods = new Set([...SAFE, ...methods]);
  }

  /**
   * Whether it does no harm if the connection that `req` gets is about to be closed, by what is known before its body. One that announces
   * no body has nothing that could be lost.
   */
  mayRisk(req: AgentRequest): boolean {
    return this.max > 0 && this.isRepeatable(req) && !expectsBody(req);
  }

  /** Whether `req` may be sent again although some or all of it was written, by its method and its headers. */
  isRepeatable(req: AgentRequest): boolean {
    if (typeof req.getHeader !== 'function') return false;
    if (!this.#methods.has(req.method) && !KEYS.some((name) => isGiven(headerOf(req, name)))) return false;
    const has = (name: string): boolean => headerOf(req, name) !== undefined;
    const isConditional = req.method !== 'GET' && req.method !== 'HEAD' && CONDITIONS.some(has);
    return !isConditional && !OVERRIDES.some(has);
  }
}

/** The option `replay`: a word for all or nothing, how often, or an object that tells more. */
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
  // Not `map`: it leaves holes out.
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

function expectsBody(req: AgentRequest): boolean {
  if (headerOf(req, 'transfer-encoding') !== undefined) return true;
  const length = headerOf(req, 'content-length');
  if (length !== undefined) return Number(length) !== 0;
  // Without a length, Node sends a body in chunks, unless the method is one that seldom has any.
  return mayHaveBody(req);
}

/** An empty key tells no request from another. */
function isGiven(value: unknown): boolean {
  return value !== undefined && String(value).trim() !== '';
}
