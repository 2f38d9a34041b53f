/**
 * The functions of Node that open TLS connections, and whether they are Node's own. Programs put others in their place to add policy:
 * certificates of a company, a client certificate, a protocol to be demanded. Such a function gets to see the options, and changes
 * them; what is made of the options beforehand would overrule it, most often in the weaker direction, and without a word.
 *
 * A function is Node's own if it is the one that was there when this module was loaded, and was that of Node then, as far as its source
 * tells. One that is marked is as good: whoever marks it says that it, and whatever it wraps, only looks on.
 */
import { Agent } from 'node:https';
// Not by name: what is put in a function's place later would not be seen.
import tls from 'node:tls';
import type { Capability } from './capability.js';
import { SourceMarks } from './source-marks.js';

/** Set to `true` on a function that changes nothing: `tls.connect[Symbol.for('pooling-https-agent.harmless')] = true`. */
const HARMLESS: unique symbol = Symbol.for('pooling-https-agent.harmless');

type Source = Readonly<Record<string, unknown>>;

class Watched {
  readonly #holder: Source;
  readonly #name: string;
  readonly #marks: SourceMarks;
  /** That of Node, as far as it was seen. */
  #own: unknown;
  /** The last one that was found to be another's. */
  #others: unknown;

  /** For `marks` and `inside` see `SourceMarks`. */
  constructor(holder: object, name: string, marks: readonly RegExp[], inside: RegExp) {
    this.#holder = holder as Source;
    this.#name = name;
    this.#marks = new SourceMarks(name, LOSS, marks, inside);
    this.#own = this.#marks.areOn(this.now) ? this.now : undefined;
  }

  get capability(): Capability {
    return this.#marks.capability;
  }

  get now(): unknown {
    return this.#holder[this.#name];
  }

  get isOwn(): boolean {
    const { now } = this;
    if (isHarmless(now)) return true;
    if (now === this.#own) return this.capability.holds;
    // Replaced before we were loaded, and put back since?
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

const createConnection = new Watched(
  Agent.prototype,
  'createConnection',
  [/\b_agentKey\b/, /\btls\.connect\(/],
  /\b(?:kProxyConfig|kWaitForProxyTunnel|kPerRequestCheckServerIdentity)\b/,
);
const CONNECTING = [
  createConnection,
  new Watched(tls, 'connect', [/\bnew TLSSocket\(/], /\bkConnectOptions\b/),
  new Watched(tls, 'createSecureContext', [/\bnew SecureContext\(/], /\bkEmptyObject\b/),
];

/** Decides whom we trust, too; a session that is resumed is not shown to it again. */
const TRUSTING = [
  ...CONNECTING,
  new Watched(tls, 'checkServerIdentity', [/\bERR_TLS_CERT_ALTNAME_/], /\bArrayIsArray\b/),
];

export const knownConnectFunctions: readonly Capability[] = TRUSTING.map(({ capability }) => capability);

export function isCreateConnectionOwn(): boolean {
  return createConnection.isOwn;
}

/** Whether connections are opened by Node's own functions alone. */
export function areConnectFunctionsOwn(): boolean {
  return CONNECTING.every(({ isOwn }) => isOwn);
}

export const OWN_POLICY: object = {};
let othersPolicy: object = {};
let othersFunctions: readonly unknown[] = [];

/** Stands for the functions that decide whom we trust: one object for the same functions, `OWN_POLICY` for those of Node. */
export function currentPolicy(): object {
  if (TRUSTING.every(({ isOwn }) => isOwn)) return OWN_POLICY;
  const functions = TRUSTING.map(({ now }) => now);
  if (functions.some((fn, i) => fn !== othersFunctions[i])) {
    othersFunctions = functions;
    othersPolicy = {};
  }
  return othersPolicy;
}
