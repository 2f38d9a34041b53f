/**
 * Translates the headers of a request, in every form that undici takes, for Node's client. As in undici, the caller cannot set headers about framing: a length
 * is checked against the body, `Connection` can only say `close`, and the rest is refused.
 */
import { invalidArgument } from './errors.js';

/** Headers as Node's client takes them: names in their original case. */
type NodeHeaders = Record<string, string | string[]>;

export class RequestHeaders {
  /** All headers for Node's client, without the length of the body. */
  readonly fields: NodeHeaders = Object.create(null) as NodeHeaders;
  /** The header `Content-Length`. */
  length: number | undefined = undefined;
  hasType = false;
  /** `Connection: close` */
  closes = false;
  /** `Expect: 100-continue` */
  expectsContinue = false;
  /** The name of each field, by its lower-case form. */
  readonly #names = Object.create(null) as Record<string, string>;
  #hasHost = false;

  /**
   * @param host the default of `Host`, which comes first (RFC 9110, section 7.2)
   * @throws `UND_ERR_INVALID_ARG`
   */
  constructor(given: unknown, host: string) {
    this.fields['host'] = host;
    if (given === undefined || given === null) return;
    if (typeof given !== 'object') throw invalidArgument('headers must be an object or an array');
    if (Array.isArray(given)) this.#addList(given);
    else if (isIterable(given)) this.#addPairs(given);
    else for (const name of Object.keys(given)) this.#add(name, Reflect.get(given, name));
  }

  /** Sets a field of the request's own. */
  set(name: string, value: string): void {
    this.fields[name] = value;
  }

  #addList(given: readonly unknown[]): void {
    if (given.length % 2 !== 0) throw invalidArgument('headers array must be even');
    for (let i = 0; i < given.length; i += 2) this.#add(textOf(given[i]), given[i + 1]);
  }

  #addPairs(given: Iterable<unknown>): void {
    for (const pair of given) {
      if (!Array.isArray(pair) || pair.length !== 2)
        throw invalidArgument('headers must be in key-value pair format');
      this.#add(textOf(pair[0]), pair[1]);
    }
  }

  #add(name: string, given: unknown): void {
    if (given === undefined) return;
    const value = valueOf(name, given);
    const lower = name.toLowerCase();
    switch (lower) {
      case 'host':
        if (this.#hasHost) throw invalidArgument('duplicate host header');
        if (typeof value !== 'string') throw invalidArgument('invalid host header');
        this.#hasHost = true;
        this.fields['host'] = value;
        return;
      case 'content-type':
        this.hasType = true;
        break;
      case 'content-length':
        this.#setLength(value);
        return;
      case 'connection':
        this.#setConnection(value);
        return;
      case 'expect':
        this.#setExpect(value);
        return;
      case 'transfer-encoding':
      case 'keep-alive':
      case 'upgrade':
        throw invalidArgument(`invalid ${lower} header`);
      default:
    }
    const known = this.#names[lower];
    if (known === undefined) {
      this.#names[lower] = name;
      this.fields[name] = value;
    } else {
      this.fields[known] = [this.fields[known] ?? [], value].flat();
    }
  }

  #setLength(value: string | string[]): void {
    if (this.length !== undefined) throw invalidArgument('duplicate content-length header');
    if (typeof value !== 'string' || !/^\d+$/.test(value))
      throw invalidArgument('invalid content-length header');
    this.length = Number(value);
  }

  #setConnection(value: string | string[]): void {
    if (typeof value !== 'string') throw invalidArgument('invalid connection header');
    for (const option of value.toLowerCase().split(',')) {
      if (!TOKEN.test(option.trim())) throw invalidArgument('invalid connection header');
      if (option.trim() === 'close') this.closes = true;
    }
  }

  #setExpect(value: string | string[]): void {
    if (typeof value !== 'string' || value.toLowerCase() !== '100-continue')
      throw invalidArgument('invalid expect header');
    this.expectsContinue = true;
  }
}

/** RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/i;

/** A value as undici sends it. Node's client refuses characters that are not allowed. */
function valueOf(name: string, value: unknown): string | string[] {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((one: unknown) => primitiveOf(name, one));
  return primitiveOf(name, value);
}

function primitiveOf(name: string, value: unknown): string {
  if (value === null) return '';
  if (typeof value === 'object' || typeof value === 'function' || typeof value === 'symbol') {
    if (!Buffer.isBuffer(value)) throw invalidArgument(`invalid ${name} header`);
    return value.toString('latin1');
  }
  return String(value);
}

function textOf(name: unknown): string {
  if (typeof name === 'string') return name;
  if (Buffer.isBuffer(name)) return name.toString('latin1');
  throw invalidArgument('invalid header key');
}

/** A `Symbol.iterator` on Object.prototype does not count. */
function isIterable(value: object): value is Iterable<unknown> {
  if (Object.hasOwn(value, Symbol.iterator)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype !== null &&
    prototype !== Object.prototype &&
    typeof Reflect.get(value, Symbol.iterator) === 'function'
  );
}
