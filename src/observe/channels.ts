/**
 * The messages that the agent publishes by `node:diagnostics_channel`. A message is built only if there are subscribers, and published when the pool is at
 * rest, because subscribers may do anything: in the next tick, in the order of events. Node reports their exceptions.
 */
import { channel } from 'node:diagnostics_channel';
import type { Channel } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type { QueueState } from '../limits/saturation.js';
import { nextTick } from '../node/timers.js';
import type { CloseReason } from '../pool/close-reason.js';
import type { ConnectPhase, RefusalCount } from '../pool/counters.js';

interface OfAgent {
  /** The option `name` of the agent, `undefined` if it has none. */
  readonly agent: string | undefined;
}

interface OfHost extends OfAgent {
  /** `host:port`. */
  readonly host: string;
}

interface OfConnection extends OfHost {
  /** The number of the connection, unique in this process, and the same as in debug lines. */
  readonly connection: number;
}

interface OfRequest extends OfHost {
  /** The request of Node's client. */
  readonly request: ClientRequest;
}

/** `pooling-https-agent:connection:open`: a dial begins, or a connection is adopted. One `connection:close` follows. */
export interface ConnectionOpenMessage extends OfConnection {
  /** The request for which the connection is opened; `undefined` if there is none, or if the connection was given up before its dial began. */
  readonly request: ClientRequest | undefined;
}

/** `pooling-https-agent:connection:close`: a connection is gone, or was never ready. */
export interface ConnectionCloseMessage extends OfConnection {
  /** `'connect-failed'`: the dial has ended in an error of its own. */
  readonly reason: CloseReason;
  /** Milliseconds since the connection was ready to be used. `0`: it never was. */
  readonly age: number;
  /** Milliseconds from the beginning of the dial until the connection was ready; `undefined` if it never was. */
  readonly connectTime: number | undefined;
  /** Requests that the connection was given. */
  readonly requests: number;
  /** The phase in which the dial failed; `undefined` if it did not fail. */
  readonly phase: ConnectPhase | undefined;
  /** The code of the error with which the dial failed, if that has one. */
  readonly code: string | undefined;
}

/** `pooling-https-agent:request:queued`: a request has to wait beyond the turn of the event loop in which it came. */
export interface RequestQueuedMessage extends OfRequest {
  /** Requests of the host that wait, this one included. */
  readonly waiting: number;
}

/** `pooling-https-agent:request:assigned`: a request gets a connection. Again, if it is sent again. */
export interface RequestAssignedMessage extends OfRequest {
  /** The number of the connection that the request gets. */
  readonly connection: number;
  /** Milliseconds since the request came, or since it lost its last connection. */
  readonly waited: number;
  /** Whether the connection has served a request before. */
  readonly reused: boolean;
}

/** `pooling-https-agent:request:replayed`: a request has lost its connection, and is sent again. */
export interface RequestReplayedMessage extends OfRequest {
  /** The number of the connection that the request has lost. */
  readonly connection: number;
  /** The number of times that the request was sent again, including this one. */
  readonly count: number;
}

/** `pooling-https-agent:request:refused`: a request was not allowed to wait, or to wait longer. */
export interface RequestRefusedMessage extends OfRequest {
  /** The limit that was reached, or that the agent is closed. */
  readonly reason: RefusalCount;
  /** Milliseconds that the request was in the queue. */
  readonly waited: number;
}

/** `pooling-https-agent:host:saturated` and `:host:drained`: as the agent's events `'saturated'` and `'drained'`. */
export interface HostQueueMessage extends QueueState, OfAgent {}

/** `pooling-https-agent:tls:rotated`: the agent's TLS options have changed. */
export interface TlsRotatedMessage extends OfAgent {
  /** The cause: `agent.updateTls()`, or the option `tls`. */
  readonly by: 'updateTls' | 'tls';
}

/** The messages by the name of their channel. */
export interface ChannelMessages {
  /** A dial begins, or a connection is adopted. */
  'pooling-https-agent:connection:open': ConnectionOpenMessage;
  /** A connection is gone, or was never ready. */
  'pooling-https-agent:connection:close': ConnectionCloseMessage;
  /** A request has to wait. */
  'pooling-https-agent:request:queued': RequestQueuedMessage;
  /** A request gets a connection. */
  'pooling-https-agent:request:assigned': RequestAssignedMessage;
  /** A request has lost its connection, and is sent again. */
  'pooling-https-agent:request:replayed': RequestReplayedMessage;
  /** A request gets no connection. */
  'pooling-https-agent:request:refused': RequestRefusedMessage;
  /** As the agent's event `'saturated'`. */
  'pooling-https-agent:host:saturated': HostQueueMessage;
  /** As the agent's event `'drained'`. */
  'pooling-https-agent:host:drained': HostQueueMessage;
  /** The agent's TLS options have changed. */
  'pooling-https-agent:tls:rotated': TlsRotatedMessage;
}

type Name = keyof ChannelMessages;

/** A channel with the type of its messages. */
type TypedChannel<M> = Channel<unknown, M>;

function channelOf<N extends Name>(name: N): TypedChannel<ChannelMessages[N]> {
  return channel(name) as TypedChannel<ChannelMessages[N]>;
}

export const channels = {
  connectionOpen: channelOf('pooling-https-agent:connection:open'),
  connectionClose: channelOf('pooling-https-agent:connection:close'),
  requestQueued: channelOf('pooling-https-agent:request:queued'),
  requestAssigned: channelOf('pooling-https-agent:request:assigned'),
  requestReplayed: channelOf('pooling-https-agent:request:replayed'),
  requestRefused: channelOf('pooling-https-agent:request:refused'),
  hostSaturated: channelOf('pooling-https-agent:host:saturated'),
  hostDrained: channelOf('pooling-https-agent:host:drained'),
  tlsRotated: channelOf('pooling-https-agent:tls:rotated'),
};

/** Publishes `message`, which was built at the moment of the event. Check `hasSubscribers` first. */
export function publish<M>(to: TypedChannel<M>, message: M): void {
  nextTick(() => to.publish(message));
}
