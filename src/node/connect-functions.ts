/**
 * Tells whether the functions that open connections are Node's own. Programs replace them to add policy: a company's certificates, a client
 * certificate, a minimum version. Such a function changes the options that it gets; a ready context or a session that was made before would
 * overrule it, mostly in the weaker direction, and without notice.
 *
 * A function is Node's own if it was there when this module was loaded, and its source text is Node's. A function that is marked counts as
 * Node's own: the mark says that it, and all that it wraps, changes nothing.
 */
import http from 'node:http';
import { Agent } from 'node:https';
// The module objects, not their functions: these may be replaced later.
import net from 'node:net';
import tls from 'node:tls';
import type { Capability } from './capability.js';
import { SourceMarks } from './source-marks.js';
import type { Mark } from './source-marks.js';

/** Set to `true` on a function that changes nothing: `tls.connect[Symbol.for('pooling-https-agent.harmless')] = true`. */
const HARMLESS: unique symbol = Symbol.for('pooling-https-agent.harmless');

type Source = Readonly<Record<string, unknown>>;

class Watched {
  readonly #holder: Source;
  readonly #name: string;
  readonly #marks: SourceMarks;
  readonly capability: Capability;
  /** Node's function, if it was seen. */
  #own: unknown;
  /** The last replacement that was found. */
  #others: unknown;

  /** For `marks` and `inside` see `SourceMarks`. */
  constructor(holder: object, name: string, marks: readonly Mark[], inside: RegExp) {
    this.#holder = holder as Source;
    this.#name = name;
    this.#marks = new SourceMarks(name, LOSS, marks, inside);
    this.capability = this.#marks.capability;
    this.#own = this.#marks.areOn(this.now) ? this.now : undefined;
  }

  get now(): unknown {
    return this.#holder[this.#name];
  }

  get isOwn(): boolean {
    const { now } = this;
    if (now === this.#own && this.capability.holds) return true;
    if (isHarmless(now)) return true;
    if (now === this.#own) return false;
    // It may have been replaced before this module was loaded, and put back since.
    if (this.#own !== undefined || now === this.#others) return false;
    if (!this.#marks.areOn(now)) {
      this.#others = now;
      return false;
    }
    this.#own = now;
    return this.capability.holds;
  }
}

function isHarmless(fn: unknown): boolean {
  return typeof fn === 'function' && (fn as { [HARMLESS]?: unknown })[HARMLESS] === true;
}

const LOSS = 'connections are opened with plain options, as where a program adds a policy of its own';

const PLAIN_MARK = ['new Socket(options)', 'net.createConnection(...args)'];

const createConnection = new Watched(
  Agent.prototype,
  'createConnection',
  ['_agentKey', 'tls.connect('],
  /\b(?:kProxyConfig|kWaitForProxyTunnel|kPerRequestCheckServerIdentity)\b/,
);
const connect = new Watched(tls, 'connect', ['new TLSSocket('], /\bkConnectOptions\b/);
const CONNECTING = [
  createConnection,
  connect,
  new Watched(tls, 'createSecureContext', ['new SecureContext('], /\bkEmptyObject\b/),
];

/** This one decides about trust, too; a resumed session is not checked by it again. */
const TRUSTING = [
  ...CONNECTING,
  new Watched(tls, 'checkServerIdentity', ['ERR_TLS_CERT_ALTNAME_'], /\bArrayIsArray\b/),
];

/** Those of plain TCP. Up to Node 20 the two are one. */
const CONNECTING_PLAIN = [
  new Watched(http.Agent.prototype, 'createConnection', [PLAIN_MARK], /\bcheckShouldUseProxy\b/),
  new Watched(net, 'createConnection', [PLAIN_MARK], /\bnormalizeArgs\b/),
];

export const knownConnectFunctions: readonly Capability[] = [...TRUSTING, ...CONNECTING_PLAIN].map(
  ({ capability }) => capability,
);

function areOwn(functions: readonly Watched[]): boolean {
  for (let i = 0; i < functions.length; i++) if (!functions[i]?.isOwn) return false;
  return true;
}

export function isCreateConnectionOwn(): boolean {
  return createConnection.isOwn;
}

/** Whether sockets are connected by Node's own functions: a replacement may look names up in its own way. */
export function isOpenedByNode(): boolean {
  return createConnection.isOwn && connect.isOwn;
}

/** The same for connections without TLS. */
export function isPlainOpenedByNode(): boolean {
  return areOwn(CONNECTING_PLAIN);
}

/** Whether connections are opened by Node's own functions alone. */
export function areConnectFunctionsOwn(): boolean {
  return areOwn(CONNECTING);
}

export const OWN_POLICY: object = {};
let othersPolicy: object = {};
let othersFunctions: readonly unknown[] = [];

/** A value that stands for the functions that decide about trust: the same object for the same functions, `OWN_POLICY` for Node's. */
export function currentPolicy(): object {
  if (areOwn(TRUSTING)) return OWN_POLICY;
  const functions = TRUSTING.map(({ now }) => now);
  if (functions.some((fn, i) => fn !== othersFunctions[i])) {
    othersFunctions = functions;
    othersPolicy = {};
  }
  return othersPolicy;
}
