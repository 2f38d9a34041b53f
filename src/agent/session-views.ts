/** `agent.maxCachedSessions` and `agent._sessionCache`, as Node's agent shows them. */
import type { Define } from '../options/live-options.js';
import type { SessionCache } from '../sessions/session-cache.js';

export function defineSessionViews(define: Define, cache: SessionCache): void {
  const setMax = (value: unknown): void => void (cache.maxCachedSessions = value as number);
  define('maxCachedSessions', () => cache.maxCachedSessions, setMax);
  // A snapshot. Writing to the property is ignored: Node's own constructor writes to it.
  const snapshot = (): object => {
    const list = cache.ids;
    return { map: Object.fromEntries(list.map((id) => [id, cache.peek(id)])), list };
  };
  define('_sessionCache', snapshot, () => {}, false);
}
