/**
 * Coded errors. They have Node's own codes wherever one fits, because callers and retry libraries look for these, and codes of ours
 * only where Node has none.
 */
import type { ConnectPhase } from './pool/counters.js';
import type { Refusal } from './pool/refusal.js';
import { isInstanceOfAny } from './process-wide.js';
import { loadReceived } from './received/late.js';

export function coded<E extends Error>(error: E, code: string): E & { code: string } {
  // As Node prints its own: the code stands beside the name, and is no part of the message.
  return Object.assign(error, { code });
}

export function invalidType(name: string, expected: string, actual: unknown): TypeError {
  const message = `The ${JSON.stringify(name)} argument must be ${expected}. ${loadReceived().receivedType(name, actual)}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

export function invalidValue(name: string, expected: string, actual: unknown): TypeError {
  return invalidName(name, `${expected}. ${loadReceived().receivedValue(name, actual)}`);
}

/** For an option that must not be given, or has an unknown name: its value is left out. */
export function invalidName(name: string, expected: string): TypeError {
  const message = `The ${JSON.stringify(name)} argument must be ${expected}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** For a result of a function of the user's. Nothing of the result is printed. */
export function invalidReturn(expected: string, name: string, actual: unknown): TypeError {
  const message = `Expected ${expected} to be returned from the ${JSON.stringify(name)} function but got ${loadReceived().typeOf(actual)}`;
  return coded(new TypeError(message), 'ERR_INVALID_RETURN_VALUE');
}

/** For a call that comes too late. */
export function invalidState(message: string): Error {
  return coded(new Error(message), 'ERR_INVALID_STATE');
}

export function outOfRange(name: string, expected: string, actual: unknown): RangeError {
  const message = `The value of ${JSON.stringify(name)} is out of range. It must be ${expected}. ${loadReceived().receivedValue(name, actual)}`;
  return coded(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/** For a value of another copy of this package, of a version that this one does not understand. */
export function incompatibleCopy(name: string): TypeError {
  const message = `The ${JSON.stringify(name)} argument is of another version of pooling-https-agent, which this one does not understand: use one version for both`;
  return coded(new TypeError(message), 'ERR_POOL_INCOMPATIBLE');
}

/** The error of a request that still waits for a connection when `agent.destroy()` is called. */
export function agentDestroyed(): Error {
  return coded(
    new Error('The agent was destroyed while the request waited for a connection'),
    'ERR_AGENT_DESTROYED',
  );
}

/** The mark by which copies of this package recognise each other's errors. */
const kPoolQueueError: unique symbol = Symbol.for('pooling-https-agent.PoolQueueError');

/**
 * The error of a request that comes after `agent.close()`, or that still waits for a connection when the `timeout` of that call is over.
 *
 * @param host `host:port`
 */
export function agentClosed(why: 'refused' | 'ended', host: string): Error {
  const message =
    why === 'refused'
      ? `The agent is closed and takes no new request to ${host}: stop sending before close()`
      : `The agent was closed while the request to ${host} waited for a connection`;
  return coded(new Error(message), 'ERR_AGENT_CLOSED');
}

/**
 * The error of a request that is not allowed to wait, or to wait longer. Its codes:
 *
 * - `ERR_POOL_QUEUE_FULL`: as many requests wait as `maxQueueSize` or `maxTotalQueueSize` allows;
 * - `ERR_POOL_ACQUIRE_TIMEOUT`: the request was in the queue for `acquireTimeout`.
 */
export class PoolQueueError extends Error {
  /** @internal */
  get [kPoolQueueError](): number {
    return 1;
  }

  /** @internal Also an error of another copy of this package. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return isInstanceOfAny(this, value, PoolQueueError, kPoolQueueError, 1);
  }

  /** The code: the length of the queue, or the waiting time, has reached its limit. */
  readonly code: 'ERR_POOL_QUEUE_FULL' | 'ERR_POOL_ACQUIRE_TIMEOUT';
  /** The host of the request, as `host:port`. */
  readonly host: string;
  /** Requests that wait, this one not counted: for this host, or for all if `maxTotalQueueSize` is reached. */
  readonly waiting: number;
  /** Connections that are in use or being opened: for this host, or for all hosts. */
  readonly active: number;
  /** The limit that was reached: requests, or for `ERR_POOL_ACQUIRE_TIMEOUT` milliseconds. */
  readonly limit: number;
  /** Milliseconds that the request was in the queue. */
  readonly waited: number;

  /** Made by the agent; `host` is `host:port`. */
  constructor(host: string, { limitedBy, limit, waiting, active, waited }: Refusal) {
    const elapsed = Math.round(waited);
    super(
      limitedBy === 'acquireTimeout'
        ? `The request to ${host} got no connection within ${elapsed} ms (acquireTimeout: ${limit}, connections in use: ${active}, other waiting requests: ${waiting})`
        : `The request to ${host} may not wait, because the queue is full (${limitedBy}: ${limit}, connections in use: ${active}, waiting requests: ${waiting})`,
    );
    this.code = limitedBy === 'acquireTimeout' ? 'ERR_POOL_ACQUIRE_TIMEOUT' : 'ERR_POOL_QUEUE_FULL';
    this.host = host;
    this.waiting = waiting;
    this.active = active;
    this.limit = limit;
    this.waited = elapsed;
  }
}

/** For a lost connection: the code on which retry libraries act. */
export function connectionReset(message: string): Error {
  return coded(new Error(message), 'ECONNRESET');
}

/** The error of a request for something falsy that code of others has thrown: callers, and Node, take that for no error. The code is Node's own. */
export function falsyFailure(reason: unknown): Error {
  const message = `The request got no connection: ${String(reason)} was thrown in place of an error`;
  return Object.assign(coded(new Error(message), 'ERR_FALSY_VALUE_REJECTION'), { reason });
}

const UNSENT = new Set<unknown>([
  'ERR_AGENT_CLOSED',
  'ERR_AGENT_DESTROYED',
  'ERR_POOL_ACQUIRE_TIMEOUT',
  'ERR_POOL_QUEUE_FULL',
]);

/** Whether `error` is one of ours that says that a request was not sent. */
export function meansUnsent(error: unknown): error is Error {
  return error instanceof Error && UNSENT.has((error as { code?: unknown }).code);
}

/** For a request that was to be sent once more. The server may have received it, so that it has the code of its lost connection. */
export function notSentAgain(cause: Error): Error {
  const message = `The connection was lost, and the request was not sent again: ${cause.message}`;
  return coded(new Error(message, { cause }), 'ECONNRESET');
}

/**
 * For a connection that was not ready in time. `ETIMEDOUT` is the system's own code for that, on which retry libraries act. `phase` is the step
 * that the dial waited for; `address` is the address that did not answer, if only one was tried.
 */
export function connectTimedOut(
  phase: ConnectPhase,
  address: string | undefined,
  host: string,
  port: unknown,
  timeout: number,
): Error {
  const message = `The connection to ${host}:${port} was not ready within ${timeout} ms (waiting for '${phase}')`;
  const error = Object.assign(coded(new Error(message), 'ETIMEDOUT'), { phase, host, port });
  // As in the system's own error: nothing came back from the address. In the other phases that is not known.
  return phase === 'connect' ? Object.assign(error, { syscall: 'connect', address }) : error;
}

/** For a look-up that has brought no address. The code is Node's own. */
export function noAddress(hostname: string): TypeError {
  const message = `The look-up of ${JSON.stringify(hostname)} gave no valid IP address`;
  return coded(new TypeError(message), 'ERR_INVALID_IP_ADDRESS');
}

/** For an optional peer that is needed, and is not installed. The code is Node's own. */
export function missingPackage(name: string, user: string): Error {
  return coded(
    new Error(`${user} needs the package "${name}", which is not installed: npm install ${name}`),
    'MODULE_NOT_FOUND',
  );
}
