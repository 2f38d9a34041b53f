/**
 * Changes an agent's TLS options while it works: all at once, or not at all. It checks them by making the context that connections
 * will use, and writes them into `agent.options`. current-tls.ts deals with connections, sessions and waiting requests of the former
 * options.
 */
import tls from 'node:tls';
import type { ConnectionOptions, SecureContextOptions } from 'node:tls';
import { functionValue, booleanValue, optional } from '../validate.js';
import { invalidName, invalidReturn, invalidType, invalidValue } from '../errors.js';
import { monotonicNow } from '../node/timers.js';
import type { Options } from '../identity/identity.js';
import { CONTEXT_OPTIONS, contextValuesOf, PROFILE_OPTIONS } from '../identity/profile.js';
import { createContext } from './secure-contexts.js';
import type { SecureContexts } from './secure-contexts.js';
import { describeError, withoutSecrets } from '../identity/secrets.js';
import { copy, same } from '../identity/option-value.js';

/** The options that can be changed with `agent.updateTls`, and that the `tls` function may give. */
export interface TlsOptions
  extends
    SecureContextOptions,
    Pick<
      ConnectionOptions,
      | 'ALPNProtocols'
      | 'checkServerIdentity'
      | 'minDHSize'
      | 'pskCallback'
      | 'rejectUnauthorized'
      | 'secureContext'
    > {
  /** Asks the server for a stapled OCSP response. */
  requestOCSP?: boolean | undefined;
}

/** The options of an identity that are not about TLS, or about one connection only. */
const FIXED: ReadonlySet<string> = new Set([
  'autoSelectFamily',
  'autoSelectFamilyAttemptTimeout',
  'enableTrace',
  'family',
  'hints',
  'localAddress',
  'localPort',
  'lookup',
  'session',
  'socket',
]);

const CHANGEABLE: ReadonlySet<string> = new Set(PROFILE_OPTIONS.filter((name) => !FIXED.has(name)));

/**
 * A new result of the function counts as a change at most once in this many milliseconds. A function that returns another value at every
 * call (a closure) would otherwise end each connection before it is ready.
 */
const CHANGE_INTERVAL = 1000;

export class Rotation {
  readonly #agent: { readonly options: object };
  readonly #contexts: SecureContexts;
  readonly #read: (() => TlsOptions) | undefined;
  /** The agent's options, which hold where the function gives none. */
  readonly #given: Options;
  /** The function's last result. */
  #last: Options = {};
  #changedAt = -Infinity;
  /** The last warning about the function's result. Each is emitted once. */
  #complaint: string | undefined;

  /**
   * @param agent whose options are changed
   * @param read the `tls` function
   * @throws what `read` throws, and errors about what it returns
   */
  constructor(
    agent: { readonly options: object },
    contexts: SecureContexts,
    read: (() => TlsOptions) | undefined,
  ) {
    this.#agent = agent;
    this.#contexts = contexts;
    this.#read = read;
    this.#given = { ...agent.options };
    if (read) {
      this.#last = ask(read);
      Object.assign(agent.options, this.#last);
    }
  }

  /**
   * Writes `changes` into the agent's options; `undefined` takes an option out.
   *
   * @throws what Node throws for bad material, and errors about options that cannot be changed; then nothing has changed
   */
  apply(changes: TlsOptions): void {
    const checked = check(changes, (value) => invalidType('options', 'of type object', value));
    const options = this.#agent.options as Record<string, unknown>;
    const next: Record<string, unknown> = { ...options, ...checked };
    for (const [name, value] of Object.entries(checked))
      if (value === undefined || value === null) Reflect.deleteProperty(next, name);
    const makesContext = !next['secureContext'];
    if (!makesContext) {
      const hidden = CONTEXT_OPTIONS.find((name) => checked[name] !== undefined);
      if (hidden) throw invalidName(hidden, 'left out: the "secureContext" option hides it');
    }
    const context = makesContext ? createContext(next) : undefined;
    // Read before anything is written: getters may throw.
    const contextValues = contextValuesOf(next);
    write(options, checked);
    if (context) this.#contexts.set(contextValues, context);
  }

  /**
   * Calls the function, if there is one, and returns whether that has changed the options. After an exception, or a result that is not valid, the
   * last good options stay in use, and a warning says so: certificate and key are seldom replaced in the same instant.
   */
  refresh(): boolean {
    if (!this.#read) return false;
    let next: Options = {};
    try {
      next = ask(this.#read);
      const changes: Record<string, unknown> = {};
      for (const name of Object.keys(this.#last)) if (!(name in next)) changes[name] = this.#given[name];
      for (const [name, value] of Object.entries(next)) {
        if (!same(this.#last[name], value)) changes[name] = value;
      }
      const now = monotonicNow();
      const changed = Object.keys(changes).length > 0 && now - this.#changedAt >= CHANGE_INTERVAL;
      if (changed) {
        this.apply(changes as TlsOptions);
        this.#last = next;
        this.#changedAt = now;
      }
      this.#complaint = undefined;
      return changed;
    } catch (error) {
      const reason = withoutSecrets(describeError(error, next), this.#agent.options as Options);
      const complaint = `The "tls" function failed, and the last good TLS options stay in use. ${reason}`;
      if (complaint !== this.#complaint) {
        this.#complaint = complaint;
        process.emitWarning(complaint, { code: 'POOLING_AGENT_TLS' });
      }
      return false;
    }
  }
}

/** Writes all of `changes`, or, if a setter throws, none. */
function write(options: Record<string, unknown>, changes: Options): void {
  const before: [name: string, descriptor: PropertyDescriptor | undefined][] = [];
  try {
    for (const [name, value] of Object.entries(changes)) {
      before.push([name, Object.getOwnPropertyDescriptor(options, name)]);
      if (value === undefined || value === null) Reflect.deleteProperty(options, name);
      else options[name] = value;
    }
  } catch (error) {
    for (const [name, descriptor] of before) {
      if (descriptor) Reflect.defineProperty(options, name, descriptor);
      else Reflect.deleteProperty(options, name);
    }
    throw error;
  }
}

function ask(read: () => TlsOptions): Options {
  const given = check(read(), (value) => invalidReturn('an object of TLS options', 'tls', value));
  // A copy, so that a value that is changed in place counts as a change.
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, copy(value)]),
  );
}

function check(changes: unknown, wrongType: (value: unknown) => Error): Options {
  if (
    changes === null ||
    typeof changes !== 'object' ||
    Array.isArray(changes) ||
    changes instanceof Promise
  ) {
    throw wrongType(changes);
  }
  const options = changes as Options;
  for (const name of Object.keys(options)) {
    if (!CHANGEABLE.has(name)) throw invalidName(name, 'a TLS option that can be changed');
  }
  optional(options, 'checkServerIdentity', functionValue, undefined);
  optional(options, 'pskCallback', functionValue, undefined);
  optional(options, 'rejectUnauthorized', booleanValue, true);
  optional(options, 'requestOCSP', booleanValue, false);
  optional(options, 'minDHSize', positive, 1);
  optional(options, 'ALPNProtocols', protocols, undefined);
  optional(options, 'secureContext', secureContext, undefined);
  return options;
}

function positive(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidType(name, 'of type number', value);
  if (!(value >= 1)) throw invalidValue(name, 'a number of bits >= 1', value);
  return value;
}

function protocols(name: string, value: unknown): unknown {
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) {
    throw invalidType(name, 'an instance of Array, Buffer, TypedArray or DataView', value);
  }
  // Throws on a value that Node refuses.
  (tls as { convertALPNProtocols?: (protocols: unknown, out: object) => void }).convertALPNProtocols?.(
    value,
    {},
  );
  return value;
}

function secureContext(name: string, value: unknown): unknown {
  if (!(value as { context?: unknown } | null)?.context) {
    throw invalidType(name, 'made by tls.createSecureContext()', value);
  }
  return value;
}
