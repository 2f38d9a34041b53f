/** Whether an emitter has exactly one listener, told without a copy of its list: for hot paths. */
import { EventEmitter } from 'node:events';

/** As it was when we were loaded: tracers may replace it later. */
const nodesEmit: unknown = Reflect.get(EventEmitter.prototype, 'emit');

/** Hot path. Whether `listener` alone hears `event`, and `emit` is Node's. `false`: that is not known. */
export function hasOnlyListener(emitter: object, event: string, listener: unknown): boolean {
  const { _events, emit } = emitter as { _events?: Record<string, unknown>; emit?: unknown };
  return emit === nodesEmit && _events?.[event] === listener;
}
