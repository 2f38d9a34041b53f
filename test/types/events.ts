/** The agent's events, by every method that takes a listener. */
import { EventEmitter, once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { expectTypeOf } from 'expect-type';
import { PoolingAgent } from 'pooling-https-agent';
import type { LeakReport, QueueState } from 'pooling-https-agent';

const agent = new PoolingAgent();

// Its own: listeners need no types, and get what is emitted.
agent.on('saturated', (state) => expectTypeOf(state).toEqualTypeOf<QueueState>());
agent.once('saturated', (state) => expectTypeOf(state).toEqualTypeOf<QueueState>());
agent.addListener('drained', (state) => expectTypeOf(state).toEqualTypeOf<QueueState>());
agent.prependListener('drained', (state) => expectTypeOf(state).toEqualTypeOf<QueueState>());
agent.prependOnceListener('leak', (report) => expectTypeOf(report).toEqualTypeOf<LeakReport>());
agent.on('leak', ({ stack }) => expectTypeOf(stack).toEqualTypeOf<string>());
const listener = (state: QueueState): number => state.idle;
agent.off('saturated', listener);
agent.removeListener('drained', listener);
expectTypeOf(once(agent, 'saturated')).resolves.toExtend<unknown[]>();

// They can be chained.
expectTypeOf(agent.on('drained', listener)).toEqualTypeOf<PoolingAgent>();
expectTypeOf(agent.off('drained', listener)).toEqualTypeOf<PoolingAgent>();
expectTypeOf(agent.prependOnceListener('free', () => {})).toEqualTypeOf<PoolingAgent>();

// Those of every agent of Node's, and of every emitter.
agent.on('free', (socket: TLSSocket, options: object) => [socket, options]);
agent.once('keylog', (line: Buffer, socket: TLSSocket) => [line, socket]);
agent.prependListener('newListener', (event: string | symbol) => event);
agent.addListener('removeListener', (event: string | symbol) => event);
agent.on('error', (error: Error) => error);
agent.on(Symbol('mine'), () => {});
agent.on(EventEmitter.errorMonitor, (error: Error) => error);
expectTypeOf(once(agent, 'free')).resolves.toExtend<unknown[]>();

// @ts-expect-error: a wrong name
agent.on('saturate', () => {});
// @ts-expect-error: a wrong name
agent.once('Drained', () => {});
// @ts-expect-error: a wrong name
agent.off('leaks', () => {});
// @ts-expect-error: a wrong name
agent.addListener('connect', () => {});
// @ts-expect-error: a wrong name
agent.removeListener('close', () => {});
// @ts-expect-error: a wrong name
agent.prependListener('socket', () => {});
// @ts-expect-error: a wrong name
agent.prependOnceListener('', () => {});

// @ts-expect-error: a listener of something else
agent.on('saturated', (report: LeakReport) => report);
// @ts-expect-error: a listener of something else
agent.once('leak', (state: QueueState) => state);
// @ts-expect-error: a listener of something else
agent.off('drained', 'drained');

// Code that knows emitters only takes any name, as with Node's agent.
function listenTo(emitter: EventEmitter, event: string): void {
  emitter.on(event, () => {});
}
listenTo(agent, 'drained');
