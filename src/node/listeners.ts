/** Reads the field in which an emitter keeps its listeners: to ask without copying the list, and to keep listeners out of copies of the emitter. */
import { EventEmitter } from 'node:events';
import type { SocketLike } from './types.js';

/** The fields in which an emitter keeps its listeners. */
const FIELDS: ReadonlySet<unknown> = new Set(['_events', '_eventsCount']);

/** Whether an emitter keeps its listeners under `key`. */
export function isListenersField(key: string | symbol): boolean {
  return FIELDS.has(key);
}

/** Keeps the listeners of `emitter` from being copied with its other properties. */
export function hideListeners(emitter: object): void {
  Object.defineProperty(emitter, '_events', { enumerable: false });
}

/** Removes all listeners of `emitter`, and any list that it shares with another emitter. */
export function dropListeners(emitter: object): void {
  Object.assign(emitter, { _events: Object.create(null), _eventsCount: 0 });
}

/** Whether `socket` is in the pool of an agent of Node's, which marks its sockets by nothing but a listener. */
export function isInNodesPool(socket: SocketLike): boolean {
  return socket
    .listeners('free')
    .some((listener) => Function.prototype.toString.call(listener).includes("'CLIENT socket onFree'"));
}

/** Read when this module is loaded: tracers may replace it later. */
const nodesEmit: unknown = Reflect.get(EventEmitter.prototype, 'emit');

/** Hot path. Whether `listener` is known to be the only one for `event`, and `emit` to be Node's. */
export function hasOnlyListener(emitter: object, event: string, listener: unknown): boolean {
  const { _events, emit } = emitter as { _events?: Record<string, unknown>; emit?: unknown };
  return emit === nodesEmit && _events?.[event] === listener;
}
