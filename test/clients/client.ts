/** The facts about a client that the common cases need: see suite.ts. */
import type { Agent } from 'node:https';
import type { Readable } from 'node:stream';

export interface Call {
  /** A PoolingAgent, or Node's own to compare with. It brings the `ca`. */
  readonly agent: Agent;
  /** Aborts the request in the client's own way. */
  readonly signal?: AbortSignal | undefined;
  /** The client's own timeout, in milliseconds. */
  readonly timeout?: number | undefined;
}

export interface Reply {
  readonly status: number;
  readonly body: string;
}

/** One client behind one interface. Errors come through as the client reports them. Nothing is retried. */
export interface Client {
  get(url: string, call: Call): Promise<Reply>;
  post(url: string, body: string | Readable, call: Call): Promise<Reply>;
  /** The body of a GET, as soon as the headers are there. */
  open(url: string, call: Call): Promise<Readable>;
  readonly traits: Traits;
}

/** How the end of a body is marked. */
type Framing = 'content-length' | 'chunked';

export interface Traits {
  /** Properties of the error that a caller gets after it has aborted a request. */
  readonly aborted: object;
  /** The same, for a request that the server answers too late. */
  readonly timedOut: object;
  /** The same, for a request that never got a connection; `undefined`: the client's clock starts with the socket. */
  readonly timedOutInQueue?: object | undefined;
  readonly followsRedirects: boolean;
  /** Whether it reads the body of a redirect to its end, or ends the exchange; else the connection stays taken. */
  readonly finishesRedirects: boolean;
  readonly decompresses: boolean;
  /** The kinds of bodies whose break-off it reports; on the others it waits for ever. */
  readonly reportsTruncated: readonly Framing[];
  /** Whether `destroy()` of the body ends the exchange, too. */
  readonly destroyEndsExchange: boolean;
}
