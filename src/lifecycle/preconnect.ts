/**
 * `agent.preconnect()`: connections that are ready before the first request. It promises
 *
 * - when it resolves, all connections that were asked for are ready or have failed: free ones count, and those that are being opened already;
 * - no request waits because of it, and no idle connection of others is closed for it: see pool/spares.ts;
 * - it rejects only for arguments that are not valid.
 */
import { urlToHttpOptions } from 'node:url';
import type { RequestOptions } from 'node:https';
import type { AgentPool, Host } from '../connections/agent-pool.js';
import { SpareRequest } from '../connections/dials/spare-request.js';
import type { SpareListener } from '../connections/dials/spare-request.js';
import { agentClosed, coded, falsyFailure, invalidType } from '../errors.js';
import type { Options } from '../identity/identity.js';
import { hostName } from '../limits/host-name.js';
import { isolate } from '../node/foreign.js';
import { setImmediate } from '../node/timers.js';
import type { Obstacle } from '../pool/spares.js';
import { abortSignal, count, optional, optionsObject } from '../validate.js';

/** Options of `agent.preconnect()`. */
export interface PreconnectOptions {
  /** The number of connections to make ready. Default: `1`. */
  readonly connections?: number | undefined;
  /** When the signal is aborted, connections that are not ready are given up. */
  readonly signal?: AbortSignal | undefined;
}

/** The result of `agent.preconnect()`. */
export interface PreconnectResult {
  /** Connections that were ready: a request may have taken one meanwhile. */
  readonly opened: number;
  /** Connections that failed, that a limit does not allow, or that were given up. `opened` and `failed` add up to the number that was asked for. */
  readonly failed: number;
  /** The reasons: an error for each dial that failed, and one for all connections that were not opened for the same reason. */
  readonly errors: unknown[];
}

/** Dials that begin in one turn of the event loop. */
const PER_TURN = 16;
/** The number of times that the host is looked up again because TLS options have changed meanwhile. */
const MAX_RENEWALS = 10;

/** See `PoolingAgent.preconnect`. */
export function preconnect(
  pool: AgentPool,
  target: string | URL | RequestOptions,
  given: PreconnectOptions | null | undefined,
): Promise<PreconnectResult> {
  try {
    const options = optionsObject(given);
    const wanted = optional(options, 'connections', count(1), 1);
    const signal = optional(options, 'signal', abortSignal, undefined);
    const preconnection = new Preconnection(pool, targetOf(pool, target), wanted, signal);
    return new Promise((resolve) => preconnection.start(resolve));
  } catch (error) {
    return Promise.reject((error || falsyFailure(error)) as Error);
  }
}

/** The options that `https.request` would make of `target`, for the connection. */
function targetOf(pool: AgentPool, target: unknown): { options: Options; hostHeader: unknown } {
  const given = optionsOf(target);
  const { agent } = pool;
  const { defaultPort, protocol } = agent as unknown as { defaultPort: number; protocol: string };
  const asked = given['protocol'] || protocol;
  if (asked !== protocol) throw invalidProtocol(asked, protocol);
  for (const name of ['host', 'hostname']) {
    const value = given[name];
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw invalidType(`options.${name}`, 'of type string', value);
  }
  const { agent: _agent, auth: _auth, headers, signal: _signal, timeout: _timeout, ...kept } = given;
  const options: Record<string, unknown> = Object.assign(Object.create(null), kept);
  options['host'] = given['hostname'] || given['host'] || 'localhost';
  options['port'] = given['port'] || given['defaultPort'] || defaultPort;
  // As Node's client does: the path of a URL must not reach the socket.
  options['path'] = null;
  return { options, hostHeader: hostIn(headers) };
}

function optionsOf(target: unknown): Record<string, unknown> {
  // `new URL` throws `ERR_INVALID_URL`.
  if (typeof target === 'string') return { ...urlToHttpOptions(new URL(target)) };
  if (target instanceof URL) return { ...urlToHttpOptions(target) };
  if (typeof target === 'object' && target !== null && !Array.isArray(target)) return { ...target };
  throw invalidType('url', 'of type string, an instance of URL, or an object of request options', target);
}

/** The `Host` header, which decides the server name. */
function hostIn(headers: unknown): unknown {
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers)) return undefined;
  for (const [name, value] of Object.entries(headers)) if (name.toLowerCase() === 'host') return value;
  return undefined;
}

class Preconnection implements SpareListener {
  readonly #pool: AgentPool;
  readonly #options: Options;
  readonly #hostHeader: unknown;
  readonly #wanted: number;
  readonly #signal: AbortSignal | undefined;
  /** Changes when TLS options have changed. */
  #host: Host;
  /** Connections that are still to be opened. */
  #left = 0;
  /** Connections that are being opened, some of them by others. */
  #pending = 0;
  readonly #requests = new Set<SpareRequest>();
  #opened = 0;
  #failed = 0;
  readonly #errors: unknown[] = [];
  #renewals = 0;
  #resolve: ((result: PreconnectResult) => void) | undefined;

  /** @throws for options that are not valid */
  constructor(
    pool: AgentPool,
    { options, hostHeader }: { options: Options; hostHeader: unknown },
    wanted: number,
    signal: AbortSignal | undefined,
  ) {
    this.#pool = pool;
    this.#options = options;
    this.#hostHeader = hostHeader;
    this.#wanted = wanted;
    this.#signal = signal;
    this.#host = pool.spares.hostFor(this.#request());
  }

  start(resolve: (result: PreconnectResult) => void): void {
    this.#resolve = resolve;
    const host = this.#host;
    this.#opened = Math.min(this.#wanted, this.#pool.spares.readyCount(host));
    this.#left = this.#wanted - this.#opened;
    for (const request of this.#pool.spares.pending(host)) {
      if (this.#left === 0) break;
      this.#left--;
      this.#await(request);
    }
    if (this.#signal?.aborted) {
      this.#abort();
      return;
    }
    this.#signal?.addEventListener('abort', this.#abort);
    this.#open();
  }

  ready(request: SpareRequest): void {
    this.#forget(request);
    this.#opened++;
    this.#settle();
  }

  failed(request: SpareRequest, reason: unknown): void {
    this.#forget(request);
    // TLS options have changed: the connection is opened with the new ones.
    if (
      reason === undefined &&
      this.#renewals < MAX_RENEWALS &&
      !this.#pool.isClosed &&
      this.#host.abandoned
    ) {
      this.#left++;
      this.#openSoon();
      return;
    }
    this.#failed++;
    // Its slot was needed; or it was opened and not kept, because of `keepSocketAlive`, say, or because all connections were closed.
    this.#errors.push(reason ?? this.#errorOf(this.#pool.spares.obstacle(this.#host) ?? 'notKept'));
    this.#settle();
  }

  #request(): SpareRequest {
    return new SpareRequest(this.#pool.protocol, this.#options, this.#hostHeader, true);
  }

  #await(request: SpareRequest): void {
    this.#pending++;
    this.#requests.add(request);
    request.listen(this);
  }

  #openSoon(): void {
    setImmediate(() => isolate(() => this.#open()));
  }

  #open(): void {
    for (let begun = 0; this.#left > 0 && this.#resolve; begun++) {
      if (begun === PER_TURN) {
        this.#openSoon();
        return;
      }
      if (!this.#openOne()) break;
    }
    this.#settle();
  }

  /** `false`: no further one is opened. */
  #openOne(): boolean {
    const { spares } = this.#pool;
    const request = this.#request();
    try {
      const host = spares.hostFor(request);
      if (host !== this.#host) this.#renewals++;
      this.#host = host;
      this.#left--;
      this.#await(request);
      const obstacle = spares.open(host, request);
      if (!obstacle) return true;
      spares.forget(host);
      this.#drop(request);
      this.#failRest(this.#errorOf(obstacle), 1);
    } catch (error) {
      // A getter of an option, or the `hosts` function, has thrown.
      this.#failRest(error, 0);
    }
    return false;
  }

  #forget(request: SpareRequest): void {
    this.#requests.delete(request);
    this.#pending--;
  }

  #drop(request: SpareRequest): void {
    this.#forget(request);
    if (request.stopListening(this)) this.#pool.spares.giveUp(request);
  }

  #failRest(error: unknown, more: number): void {
    this.#failed += this.#left + more;
    this.#left = 0;
    this.#errors.push(error);
  }

  #errorOf(obstacle: Obstacle | 'notKept'): Error {
    const name = hostName(this.#host.origin);
    return obstacle === 'closed' ? agentClosed('refused', name) : noCapacity(name, obstacle);
  }

  readonly #abort = (): void => {
    const before = this.#pending;
    for (const request of this.#requests) this.#drop(request);
    const { reason } = this.#signal as { reason?: unknown };
    if (this.#left + before > 0) this.#failRest(reason ?? new Error('Aborted'), before - this.#pending);
    this.#settle();
  };

  #settle(): void {
    if (this.#left > 0 || this.#pending > 0 || !this.#resolve) return;
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#pool.spares.forget(this.#host);
    this.#resolve({ opened: this.#opened, failed: this.#failed, errors: this.#errors });
    this.#resolve = undefined;
  }
}

/** For a connection that was not opened in advance: a limit does not allow it, or its capacity was needed for something else. */
function noCapacity(host: string, limitedBy: string): Error {
  const error = new Error(`No connection to ${host} was opened in advance (limited by: ${limitedBy})`);
  return Object.assign(coded(error, 'ERR_POOL_NO_CAPACITY'), { host, limitedBy });
}

function invalidProtocol(actual: unknown, expected: string): TypeError {
  const message = `Protocol ${JSON.stringify(String(actual))} not supported. Expected ${JSON.stringify(expected)}`;
  return coded(new TypeError(message), 'ERR_INVALID_PROTOCOL');
}
