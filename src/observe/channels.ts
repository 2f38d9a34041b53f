/**
 * The messages that the agent publishes by `node:diagnostics_channel`. Nothing is built where nobody subscribes, and nothing is published before the pool is
 * at rest: subscribers may do anything. They are called in the next tick, in the order of events; what they throw is Node's to report.
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
  /** The number of the connection, unique in this process, by which debug lines call it, too. */
  readonly connection: number;
}

interface OfRequest extends OfHost {
  readonly request: ClientRequest;
}

/** `pooling-https-agent:connection:open`: a connection is begun. One `connection:close` follows. */
export interface ConnectionOpenMessage extends OfConnection {
  /** The request that it is opened for; `undefined` if for none, or if it was given up before its dial began. */
  readonly request: ClientRequest | undefined;
}

/** `pooling-https-agent:connection:close`: a connection is gone, or was never ready. */
export interface ConnectionCloseMessage extends OfConnection {
  /** `'connect-failed'`: its dial has ended in an error of its own. */
  readonly reason: CloseReason;
  /** Milliseconds since it was ready to be used. `0`: it never was. */
  readonly age: number;
  /** Milliseconds from the beginning of its dial until it was ready; `undefined` if it never was. */
  readonly connectTime: number | undefined;
  /** Requests that it was given. */
  readonly requests: number;
  /** The step that a dial that has failed was waiting for; `undefined` for all others. */
  readonly phase: ConnectPhase | undefined;
  /** The code of the error that it has failed with, if it has one. */
  readonly code: string | undefined;
}

/** `pooling-https-agent:request:queued`: a request has to wait beyond the turn of the event loop in which it came. */
export interface RequestQueuedMessage extends OfRequest {
  /** Requests of the host that wait, this one included. */
  readonly waiting: number;
}

/** `pooling-https-agent:request:assigned`: a request gets a connection. Again, if it is sent again. */
export interface RequestAssignedMessage extends OfRequest {
  readonly connection: number;
  /** Milliseconds since it came, or since it has lost its last connection. */
  readonly waited: number;
  /** Whether the connection has served a request before. */
  readonly reused: boolean;
}

/** `pooling-https-agent:request:replayed`: a request has lost its connection, and is sent again. */
export interface RequestReplayedMessage extends OfRequest {
  /** The connection that it has lost. */
  readonly connection: number;
  /** How often it was sent again, this time included. */
  readonly count: number;
}

/** `pooling-https-agent:request:refused`: a request may not wait, or not any longer. */
export interface RequestRefusedMessage extends OfRequest {
  readonly reason: RefusalCount;
  /** Milliseconds that it was in the queue. */
  readonly waited: number;
}

/** `pooling-https-agent:host:saturated` and `:host:drained`: as the agent's events `'saturated'` and `'drained'`. */
export interface HostQueueMessage extends QueueState, OfAgent {}

/** `pooling-https-agent:tls:rotated`: the agent's TLS options are others from now on. */
export interface TlsRotatedMessage extends OfAgent {
  /** `agent.updateTls()`, or the option `tls`. */
  readonly by: 'updateTls' | 'tls';
}

/** Each channel, with what its subscribers get. */
export interface ChannelMessages {
  'pooling-https-agent:connection:open': ConnectionOpenMessage;
  'pooling-https-agent:connection:close': ConnectionCloseMessage;
  'pooling-https-agent:request:queued': RequestQueuedMessage;
  'pooling-https-agent:request:assigned': RequestAssignedMessage;
  'pooling-https-agent:request:replayed': RequestReplayedMessage;
  'pooling-https-agent:request:refused': RequestRefusedMessage;
  'pooling-https-agent:host:saturated': HostQueueMessage;
  'pooling-https-agent:host:drained': HostQueueMessage;
  'pooling-https-agent:tls:rotated': TlsRotatedMessage;
}

type Name = keyof ChannelMessages;

/** A channel of ours, with the type of what it carries. */
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

/** Publishes `message`, built at the moment of the event. Ask `hasSubscribers` first. */
export function publish<M>(to: TypedChannel<M>, message: M): void {
  nextTick(() => to.publish(message));
}
