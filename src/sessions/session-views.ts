/** `agent.maxCachedSessions` and `agent._sessionCache`, as Node's agent shows them. */
import type { SessionCache } from './session-cache.js';

export function defineSessionViews(agent: object, cache: SessionCache): void {
  Object.defineProperty(agent, 'maxCachedSessions', {
    configurable: true,
    enumerable: true,
    get: () => cache.maxCachedSessions,
    set: (value: number) => {
      cache.maxCachedSessions = value;
    },
  });
  // A snapshot: what is written to it is ignored, as Node's own constructor writes, too.
  Object.defineProperty(agent, '_sessionCache', {
    configurable: true,
    enumerable: true,
    get: () => {
      const list = cache.ids;
      return { map: Object.fromEntries(list.map((id) => [id, cache.peek(id)])), list };
    },
    set: () => {},
  });
}
