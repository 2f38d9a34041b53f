/** The entry for fetch and undici, as TypeScript sees it: its dispatcher goes wherever one of undici's goes, of every version, and of Node's own fetch. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { expectTypeOf } from 'expect-type';
import { PoolingAgent } from 'pooling-https-agent';
import { connector, dispatcher, setGlobalDispatcher } from 'pooling-https-agent/undici';
import type {
  AgentDispatcher,
  Connect,
  ConnectorOptions,
  DispatcherOptions,
  DispatchHandler,
  DispatchOptions,
} from 'pooling-https-agent/undici';
import * as undici6 from 'undici-6';
import * as undici7 from 'undici';
import * as undici8 from 'undici-8';

const agent = new PoolingAgent();
const over = dispatcher(agent);
expectTypeOf(over).toEqualTypeOf<AgentDispatcher>();

// Agents: one, or one for each protocol; of Node's own kind, too.
dispatcher(new HttpsAgent(), null);
dispatcher({ https: agent, http: new HttpAgent() }, { headersTimeout: 0, bodyTimeout: Infinity });
dispatcher({ http: new HttpAgent(), https: undefined }, { maxResponseSize: -1, maxHeaderSize: 65_536 });
// @ts-expect-error: no agent
dispatcher('https://localhost');
// @ts-expect-error: milliseconds are a number
dispatcher(agent, { headersTimeout: '5s' });
expectTypeOf<DispatcherOptions>().toHaveProperty('maxResponseSize');

// It goes wherever a dispatcher of undici's goes.
const as6: undici6.Dispatcher = over;
const as7: undici7.Dispatcher = over;
const as8: undici8.Dispatcher = over;
void [as6, as7, as8];
const init: RequestInit = { dispatcher: over };
void fetch('https://localhost', init);
void undici6.fetch('https://localhost', { dispatcher: over });
void undici7.request('https://localhost', { dispatcher: over });
void undici8.fetch('https://localhost', { dispatcher: over });
void new undici7.WebSocket('wss://localhost', { dispatcher: over });
undici6.setGlobalDispatcher(over);
undici7.setGlobalDispatcher(over);
undici8.setGlobalDispatcher(over);
setGlobalDispatcher(over);
setGlobalDispatcher(new undici7.Agent());
// @ts-expect-error: an agent is no dispatcher
setGlobalDispatcher(agent);

// Interceptors of every version compose, and what comes of it is as good.
expectTypeOf(
  over.compose(undici6.interceptors.retry(), undici6.interceptors.dump()),
).toEqualTypeOf<AgentDispatcher>();
expectTypeOf(
  over.compose([undici7.interceptors.redirect(), undici7.interceptors.cache()]),
).toEqualTypeOf<AgentDispatcher>();
expectTypeOf(over.compose(undici8.interceptors.dns())).toEqualTypeOf<AgentDispatcher>();

// Handlers of both kinds.
const old: undici6.Dispatcher.DispatchHandlers = { onConnect() {}, onError() {} };
over.dispatch({ origin: 'https://localhost', path: '/', method: 'GET' }, old);
const handler: undici8.Dispatcher.DispatchHandler = { onRequestStart() {} };
expectTypeOf(over.dispatch({ path: '/', method: 'GET' }, handler)).toEqualTypeOf<boolean>();
expectTypeOf<undici7.Dispatcher.DispatchHandler>().toExtend<DispatchHandler>();
expectTypeOf<undici8.Dispatcher.DispatchOptions>().toExtend<DispatchOptions>();
expectTypeOf<DispatchOptions['priority']>().toEqualTypeOf<number | undefined>();

// The end.
expectTypeOf(over.close()).toEqualTypeOf<Promise<void>>();
expectTypeOf(over.destroy(new Error('over'))).toEqualTypeOf<Promise<void>>();
expectTypeOf(over.destroy(null, () => {})).toEqualTypeOf<void>();
expectTypeOf(over.closed).toEqualTypeOf<boolean>();

// A connector.
expectTypeOf(connector(agent, { timeout: 5000 })).toEqualTypeOf<Connect>();
expectTypeOf<ConnectorOptions['timeout']>().toEqualTypeOf<number | null | undefined>();
new undici6.Agent({ connect: connector(agent) });
new undici7.Pool('https://localhost', { connect: connector(agent) });
new undici8.Client('https://localhost', { connect: connector(agent, null) });
// @ts-expect-error: only of a PoolingAgent
connector(new HttpsAgent());
