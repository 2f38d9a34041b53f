/** The agent as TypeScript sees it: what Node's agent is, with options, limits and priorities of its own. */
import { get as httpGet } from 'node:http';
import type { Agent as HttpAgent, ClientRequest } from 'node:http';
import { Agent, get, globalAgent, request } from 'node:https';
import type { AgentOptions, RequestOptions } from 'node:https';
import { expectTypeOf } from 'expect-type';
import {
  createAgents,
  PoolingAgent,
  PoolingHttpAgent,
  PoolQueueError,
  SessionCache,
} from 'pooling-https-agent';
import type {
  AddressStats,
  AgentStats,
  ChannelMessages,
  DnsOptions,
  Explanation,
  HostLimitOptions,
  HostStats,
  LeakReport,
  PoolingAgentEvents,
  PoolingAgentOptions,
  PoolingHttpAgentOptions,
  PreconnectResult,
  QueueState,
  Scheduling,
  SealKey,
  TicketReuse,
} from 'pooling-https-agent';

const agent = new PoolingAgent();

// It goes wherever Node's own goes.
expectTypeOf(agent).toExtend<Agent>();
expectTypeOf(agent).toExtend<HttpAgent>();
expectTypeOf(PoolingAgent).toExtend<new (options?: AgentOptions) => Agent>();
get('https://localhost', { agent });
request({ agent }).end();
const replaced: { agent: Agent } = { agent: globalAgent };
replaced.agent = agent;

// Options: Node's, and ours.
expectTypeOf<AgentOptions>().toExtend<PoolingAgentOptions>();
expectTypeOf<PoolingAgentOptions['scheduling']>().toEqualTypeOf<Scheduling | undefined>();
expectTypeOf<Scheduling>().toEqualTypeOf<'lifo' | 'fifo' | 'least-used' | 'random'>();
expectTypeOf<TicketReuse>().toEqualTypeOf<'allow' | 'never'>();
expectTypeOf<string>().toExtend<SealKey>();
expectTypeOf<PoolingAgentEvents['leak']>().toEqualTypeOf<[report: LeakReport]>();
// Options that not every version of Node's typings knows.
new PoolingAgent({ dns: false });
new PoolingAgent({
  dns: { ttl: 0, maxStale: Infinity, maxEntries: 10, rotate: true, follow: undefined } satisfies DnsOptions,
});
// @ts-expect-error -- `true` would say nothing
new PoolingAgent({ dns: true });
expectTypeOf<HostStats['addresses']>().toEqualTypeOf<readonly AddressStats[] | undefined>();
new PoolingAgent({ proxyEnv: process.env, defaultPort: 8443, protocol: 'https:', priorityHeader: true });
new PoolingAgent({ proxyEnv: { HTTPS_PROXY: 'http://localhost:3128' }, agentKeepAliveTimeoutBuffer: 500 });
new PoolingAgent({
  keepAlive: true,
  maxSockets: 10,
  ca: ['PEM', Buffer.from('PEM')],
  servername: 'localhost',
  minVersion: 'TLSv1.3',
  scheduling: 'least-used',
  fairness: 'fifo',
  binding: 'late',
  maxTotalSockets: undefined,
  replay: { max: 1 },
  sessionCache: false,
  hosts: { '*.example.com': { maxSockets: 2 }, localhost: undefined },
  tls: () => ({ ca: 'PEM' }),
});
new PoolingAgent({ sessionCache: new SessionCache({ maxCachedSessions: 10 }), replay: false });
new PoolingAgent({
  hosts: (host, port) => {
    expectTypeOf(host).toEqualTypeOf<string>();
    expectTypeOf(port).toEqualTypeOf<number>();
    return host === 'localhost' ? { maxSockets: 1 } : undefined;
  },
});
// @ts-expect-error: an option that nobody knows
new PoolingAgent({ maxSocket: 1 });
// @ts-expect-error: not a word that the option knows
new PoolingAgent({ scheduling: 'newest' });
// @ts-expect-error: a number
new PoolingAgent({ idleTimeout: 'long' });
// @ts-expect-error: not a limit of a host
new PoolingAgent({ hosts: { localhost: { maxTotalSockets: 1 } } });

// Properties that may be changed while it runs.
agent.maxSockets = 5;
agent.maxTotalSockets = Infinity;
agent.maxFreeSockets = 1;
agent.maxQueueSize = 10;
agent.acquireTimeout = 100;
agent.scheduling = 'random';
agent.keepAlive = false;
// @ts-expect-error: it is counted, not set
agent.totalSocketCount = 1;
// @ts-expect-error: not a word that it knows
agent.scheduling = 'newest';

// setHostLimits
expectTypeOf(agent.setHostLimits).parameters.toEqualTypeOf<[string, HostLimitOptions | null | undefined]>();
expectTypeOf(agent.setHostLimits).returns.toEqualTypeOf<void>();
agent.setHostLimits('*.example.com', { maxSockets: 0, idleTimeout: 1000, scheduling: 'fifo' });
agent.setHostLimits('localhost', undefined);
// @ts-expect-error: a limit is missing, if only `undefined`
agent.setHostLimits('localhost');
// @ts-expect-error: not a limit of a host
agent.setHostLimits('localhost', { maxTotalSockets: 1 });
// @ts-expect-error: a pattern is a string
agent.setHostLimits(/localhost/, {});

// updateTls
agent.updateTls({ ca: 'PEM', key: undefined });
agent.updateTls({});
// @ts-expect-error: not an option of TLS
agent.updateTls({ maxSockets: 1 });

// Priorities: of a request, and of one that waits.
const req: ClientRequest = get('https://localhost', { agent, priority: 0 });
const urgent: RequestOptions = { agent, priority: 0 };
expectTypeOf(urgent.priority).toEqualTypeOf<number | undefined>();
// @ts-expect-error: a number
request({ agent, priority: 'urgent' });
expectTypeOf(agent.setPriority(req, 7)).toEqualTypeOf<boolean>();
// @ts-expect-error: a number
agent.setPriority(req, 'urgent');
// @ts-expect-error: which one?
agent.setPriority(req);

// The beginning.
const preconnected = agent.preconnect('https://localhost', {
  connections: 2,
  signal: AbortSignal.timeout(1000),
});
expectTypeOf(preconnected).toEqualTypeOf<Promise<PreconnectResult>>();
void agent.preconnect(new URL('https://localhost'));
void agent.preconnect({ host: 'localhost', ca: 'PEM' });
// @ts-expect-error: to whom?
void agent.preconnect();
new PoolingAgent({ minFreeSockets: 2, hosts: { localhost: { minFreeSockets: 5 } } });
agent.minFreeSockets = 1;

// The end.
expectTypeOf(agent.close()).toEqualTypeOf<Promise<void>>();
expectTypeOf(agent.closed).toEqualTypeOf<boolean>();
expectTypeOf(agent[Symbol.asyncDispose]()).toEqualTypeOf<Promise<void>>();
void agent.close({ timeout: 1000, signal: AbortSignal.timeout(1000) });
void agent.close({ timeout: undefined, signal: undefined });
agent.closeIdleConnections();
agent.closeAllConnections();
expectTypeOf(agent.lend()).toEqualTypeOf<PoolingAgent>();
expectTypeOf(new (class Sub extends PoolingAgent {})().lend()).toExtend<PoolingAgent>();
// @ts-expect-error: options, not a number
void agent.close(1000);
// @ts-expect-error: it stays closed
agent.closed = false;

// Its reports.
expectTypeOf(agent.name).toEqualTypeOf<string | undefined>();
expectTypeOf(agent.stats()).toEqualTypeOf<AgentStats>();
expectTypeOf(agent.stats({ hosts: false }).timeInQueue.p99).toEqualTypeOf<number>();
expectTypeOf(agent.stats().closed['idle-timeout']).toEqualTypeOf<number>();
expectTypeOf(agent.stats().hosts?.['localhost:443']).toEqualTypeOf<HostStats | undefined>();
expectTypeOf(agent.explain(get('https://localhost'))).toEqualTypeOf<Explanation>();
expectTypeOf<ChannelMessages['pooling-https-agent:request:assigned']['waited']>().toEqualTypeOf<number>();
new PoolingAgent({ name: 'egress' });
// @ts-expect-error: a string
new PoolingAgent({ name: 1 });
// @ts-expect-error: for looking only
agent.stats().requests = 1;
export class NamedSubclass extends PoolingAgent {
  override readonly name = 'mine';
}

// Errors and reports.
expectTypeOf<PoolQueueError>().toExtend<Error>();
expectTypeOf<PoolQueueError['code']>().toEqualTypeOf<'ERR_POOL_QUEUE_FULL' | 'ERR_POOL_ACQUIRE_TIMEOUT'>();
expectTypeOf<QueueState['waiting']>().toEqualTypeOf<number>();
expectTypeOf<LeakReport['req']>().toEqualTypeOf<ClientRequest>();

// Subclasses override what those of Node's agent override.
export class Subclass extends PoolingAgent {
  override keepSocketAlive(...args: Parameters<PoolingAgent['keepSocketAlive']>): boolean {
    return super.keepSocketAlive(...args);
  }
  override getName(options?: RequestOptions): string {
    return `${super.getName(options)}:mine`;
  }
}

// Plain http.
const plain = new PoolingHttpAgent({ maxSockets: 5, proxy: 'env' });
expectTypeOf(plain).toExtend<HttpAgent>();
expectTypeOf(plain.stats()).toEqualTypeOf<AgentStats>();
expectTypeOf<PoolingHttpAgentOptions>().not.toHaveProperty('sessionCache');
expectTypeOf<PoolingHttpAgentOptions>().not.toHaveProperty('ca');
// @ts-expect-error -- TLS options mean nothing there
new PoolingHttpAgent({ ca: '' });
plain.on('saturated', (state) => expectTypeOf(state).toEqualTypeOf<QueueState>());
class OwnHttpAgent extends PoolingHttpAgent {
  override createSocket(...args: Parameters<PoolingHttpAgent['createSocket']>): void {
    super.createSocket(...args);
  }
}
httpGet('http://localhost', { agent: new OwnHttpAgent() }).destroy();

// Both over one pool.
const both = createAgents({ maxTotalSockets: 5, ca: '' });
expectTypeOf(both.http).toEqualTypeOf<PoolingHttpAgent>();
expectTypeOf(both.https).toEqualTypeOf<PoolingAgent>();
// @ts-expect-error -- each has its own
createAgents({ protocol: 'http:' });
