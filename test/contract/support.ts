/** One test body, run over a PoolingAgent and over Node's own agent: what passes over both is Node's behaviour. */
import type { Agent as NodesAgent, RequestOptions } from 'node:https';
import type { ClientRequest, ServerResponse } from 'node:http';
import type { LookupFunction } from 'node:net';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { PoolingAgentOptions } from '../../src/index.js';
import { poolOf, poolingAgent } from '../support/agent.js';
import { Agent, isPlain, PoolingAgent, request } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

export const LIMIT = { timeout: 120_000 };

export type Callback = (error: Error | null, socket?: unknown) => void;
export type Options = Record<string, unknown>;

/** Members of both agents that Node's typings leave out. */
export interface NodeAgent extends NodesAgent {
  defaultPort: number;
  protocol: string;
  keepAlive: boolean;
  keepAliveMsecs: number;
  maxCachedSessions: number;
  readonly totalSocketCount: number;
  readonly _sessionCache: { map: Record<string, Buffer>; list: string[] };
  addRequest(req: ClientRequest, options: object | string, port?: number, localAddress?: string): void;
  createSocket(req: ClientRequest, options: object, callback: Callback): void;
  removeSocket(socket: object, options: object): void;
  keepSocketAlive(socket: object): boolean;
  reuseSocket(socket: object, req: ClientRequest): void;
  _getSession(key: string): Buffer | undefined;
  _cacheSession(key: string, session: Buffer): void;
  _evictSession(key: string): void;
}

export interface Bench {
  readonly t: TestContext;
  /** Whether this runs over a PoolingAgent. */
  readonly ours: boolean;
  /** An agent with keepAlive that goes with the test. */
  agent(options?: PoolingAgentOptions & Options): NodeAgent;
}

function bench(t: TestContext, ours: boolean): Bench {
  return {
    t,
    ours,
    agent(options = {}) {
      if (ours) return asNode(poolingAgent(t, options));
      const agent = new Agent({ keepAlive: true, ...(options as object) });
      t.after(() => agent.destroy());
      return asNode(agent);
    },
  };
}

export function forBoth(title: string, body: (bench: Bench) => Promise<void> | void): void {
  describe(title, () => {
    it('PoolingAgent', LIMIT, (t) => body(bench(t, true)));
    it("Node's agent", LIMIT, (t) => body(bench(t, false)));
  });
}

/** The same of what is about TLS alone. */
export const forBothOverTls: typeof forBoth = isPlain ? () => {} : forBoth;

export function asNode(agent: NodesAgent): NodeAgent {
  return agent as NodeAgent;
}

/** Replaces `agent.createConnection`, as users do. */
export function replaceCreateConnection(
  agent: NodesAgent,
  replacement: (this: NodesAgent, options: Options, callback: Callback) => unknown,
): void {
  Reflect.set(agent, 'createConnection', replacement);
}

/** The options that every call of `createConnection` gets from now on. */
export function spyOnDials(agent: NodesAgent): Options[] {
  const calls: Options[] = [];
  const original = agent.createConnection;
  replaceCreateConnection(agent, function spy(options, callback) {
    calls.push(options);
    return original.call(this, options, callback);
  });
  return calls;
}

/** A `lookup` that finds every name on the loopback. */
export function lookupLoopback(...[, options, callback]: Parameters<LookupFunction>): void {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
}

export interface HoldingServer extends TestServer {
  /** Answers that the test has to give. */
  readonly held: ServerResponse[];
}

/** Holds every request: as many connections are open at once as there are requests on their way. */
export async function holdingServer(t: TestContext): Promise<HoldingServer> {
  const held: ServerResponse[] = [];
  const server = await httpsServer(t, (_req, res) => void held.push(res));
  return { ...server, held };
}

/** A request under way, with whatever happens to it. */
export interface Sent {
  readonly req: ClientRequest;
  /** 'error', 'close' and 'response', as often as they come. */
  readonly events: string[];
  readonly errors: (Error & { code?: string })[];
  readonly closed: Promise<void>;
}

export function send(server: { port: number; ca?: string }, options: RequestOptions & Options): Sent {
  const req = request({ host: 'localhost', port: server.port, ca: server.ca, ...options });
  const events: string[] = [];
  const errors: Error[] = [];
  req.on('error', (error) => {
    events.push('error');
    errors.push(error);
  });
  req.on('response', (res) => {
    events.push('response');
    res.on('error', () => {}).resume();
  });
  req.on('close', () => events.push('close'));
  const closed = new Promise<void>((resolve) => req.on('close', resolve));
  req.end();
  return { req, events, errors, closed };
}

export function sizeOf(view: NodeJS.ReadOnlyDict<unknown[]>): number {
  return Object.values(view).reduce((sum, members = []) => sum + members.length, 0);
}

/** Until `count` connections are idle. Ours are shown as free a turn of the event loop earlier than they are. */
function restingCount(agent: PoolingAgent): number {
  let count = 0;
  for (const { pooled } of poolOf(agent).idle) if (pooled?.rested) count++;
  return count;
}

export async function untilIdle(agent: NodesAgent, count = 1): Promise<TLSSocket> {
  const idle = (): number =>
    agent instanceof PoolingAgent ? restingCount(agent) : sizeOf(agent.freeSockets);
  await until(() => idle() === count);
  return Object.values(agent.freeSockets)[0]?.[0] as TLSSocket;
}
