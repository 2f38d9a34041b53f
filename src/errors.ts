/**
 * Coded errors. Node's own codes wherever one fits, because callers and retry libraries look for them; ours
 * only where Node has none.
 */
import type { ConnectPhase } from './pool/counters.js';
import type { Refusal } from './pool/refusal.js';
import { isInstanceOfAny } from './process-wide.js';
import { receivedType, receivedValue, typeOf } from './received.js';

function coded<E extends Error>(error: E, code: string): E & { code: string } {
  // As Node prints its own: the code stands beside the name, and is no part of the message.
  return Object.assign(error, { code });
}

export function invalidType(name: string, expected: string, actual: unknown): TypeError {
  const message = `The ${JSON.stringify(name)} argument must be ${expected}. ${receivedType(name, actual)}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

export function invalidValue(name: string, expected: string, actual: unknown): TypeError {
  return invalidName(name, `${expected}. ${receivedValue(name, actual)}`);
}

/** It is the option that is wrong, and not the value that it has: nothing is said about that. */
export function invalidName(name: string, expected: string): TypeError {
  const message = `The ${JSON.stringify(name)} argument must be ${expected}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_VALUE');
}

/** For a result of a function of the user's. Nothing of the result is printed. */
export function invalidReturn(expected: string, name: string, actual: unknown): TypeError {
  const message = `Expected ${expected} to be returned from the ${JSON.stringify(name)} function but got ${typeOf(actual)}`;
  return coded(new TypeError(message), 'ERR_INVALID_RETURN_VALUE');
}

/** The call comes too late. */
export function invalidState(message: string): Error {
  return coded(new Error(message), 'ERR_INVALID_STATE');
}

export function invalidProtocol(actual: unknown, expected: string): TypeError {
  const message = `Protocol ${JSON.stringify(String(actual))} not supported. Expected ${JSON.stringify(expected)}`;
  return coded(new TypeError(message), 'ERR_INVALID_PROTOCOL');
}

export function outOfRange(name: string, expected: string, actual: unknown): RangeError {
  const message = `The value of ${JSON.stringify(name)} is out of range. It must be ${expected}. ${receivedValue(name, actual)}`;
  return coded(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

/** It is of another copy of this package, and of a version that this one does not understand. */
export function incompatibleCopy(name: string): TypeError {
  const message = `The ${JSON.stringify(name)} argument is of another version of pooling-https-agent, which this one does not go together with`;
  return coded(new TypeError(message), 'ERR_POOL_INCOMPATIBLE');
}

export function unsupported(feature: string): Error {
  return coded(
    new Error(`${feature} is not supported by Node.js ${process.version}`),
    'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  );
}

/** The error of a request that still waits for a connection when `agent.destroy()` is called. */
export function agentDestroyed(): Error {
  return coded(
    new Error('The agent was destroyed while the request waited for a connection'),
    'ERR_AGENT_DESTROYED',
  );
}

/** Copies of this package know each other's errors by it. */
const kPoolQueueError: unique symbol = Symbol.for('pooling-https-agent.PoolQueueError');

/**
 * The error of a request that comes after `agent.close()`, or still waits for a connection when the time that this was given is over.
 *
 * @param host `host:port`
 */
export function agentClosed(why: 'refused' | 'ended', host: string): Error {
  const message =
    why === 'refused'
      ? `The agent is closed: it takes no new request to ${host}`
      : `The agent was closed while the request to ${host} waited for a connection`;
  return coded(new Error(message), 'ERR_AGENT_CLOSED');
}

/** No connection was opened ahead: a limit does not allow it, or its place was needed for something else. */
export function noPlace(host: string, limitedBy: string): Error {
  const error = new Error(`No connection to ${host} is opened ahead (${limitedBy})`);
  return Object.assign(coded(error, 'ERR_POOL_NO_PLACE'), { host, limitedBy });
}

/**
 * The error of a request that may not wait, or not any longer:
 *
 * - `ERR_POOL_QUEUE_FULL`: as many requests wait as `maxQueueSize` or `maxTotalQueueSize` allows;
 * - `ERR_POOL_ACQUIRE_TIMEOUT`: it was in the queue for `acquireTimeout`.
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

  readonly code: 'ERR_POOL_QUEUE_FULL' | 'ERR_POOL_ACQUIRE_TIMEOUT';
  /** Whom it was for, as `host:port`. */
  readonly host: string;
  /** Requests that wait, this one not counted: for this host, or for all if `maxTotalQueueSize` is reached. */
  readonly waiting: number;
  /** Connections that are in use or being opened, of the same. */
  readonly active: number;
  /** The limit that was reached: requests, or for `ERR_POOL_ACQUIRE_TIMEOUT` milliseconds. */
  readonly limit: number;
  /** Milliseconds that the request was in the queue. */
  readonly waited: number;

  constructor(host: string, { limitedBy, limit, waiting, active, waited }: Refusal) {
    const elapsed = Math.round(waited);
    super(
      limitedBy === 'acquireTimeout'
        ? `The request to ${host} waited ${elapsed} ms for a connection (acquireTimeout: ${limit}): ${active} are in use, ${waiting} others wait`
        : `No more requests to ${host} may wait (${limitedBy}: ${limit}): ${active} connections are in use, ${waiting} requests wait`,
    );
    this.code = limitedBy === 'acquireTimeout' ? 'ERR_POOL_ACQUIRE_TIMEOUT' : 'ERR_POOL_QUEUE_FULL';
    this.host = host;
    this.waiting = waiting;
    this.active = active;
    this.limit = limit;
    this.waited = elapsed;
  }
}

/** The connection died: the code that retry libraries act upon. */
export function connectionReset(message: string): Error {
  return coded(new Error(message), 'ECONNRESET');
}

/** An export of TLS sessions that is refused. */
export function sessionImport(why: 'FORMAT' | 'VERSION' | 'KEY', message: string, cause?: unknown): Error {
  return coded(new Error(message, cause === undefined ? {} : { cause }), `ERR_SESSION_IMPORT_${why}`);
}

/**
 * A connection was not ready in time. `ETIMEDOUT` is what the system says when it gives up by itself, and what retry libraries act upon;
 * `phase` tells what was waited for, `address` from where no answer came, if only one was tried.
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
  // As the system's own: nothing has come back from there. Of the other phases that is not known.
  return phase === 'connect' ? Object.assign(error, { syscall: 'connect', address }) : error;
}

/** Nothing has moved on a connection that a request has. */
export function socketTimedOut(host: string, port: unknown, timeout: number): Error {
  const message = `Nothing was sent or received on the connection to ${host}:${port} for ${timeout} ms`;
  return Object.assign(coded(new Error(message), 'ETIMEDOUT'), { phase: 'exchange', host, port });
}
