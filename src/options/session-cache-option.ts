/** The option `sessionCache`: a cache that others share, none, or one of the agent's own. */
import { incompatibleCopy, invalidType, invalidValue } from '../errors.js';
import { kindOfCache, SessionCache } from '../sessions/session-cache.js';
import type { SessionCacheOptions } from '../sessions/session-cache.js';

interface CacheOptions extends SessionCacheOptions {
  readonly sessionCache?: SessionCache | false | undefined;
}

/** Configuration libraries copy what is in their options; a copy of a cache is of no use, and the agent has its own in its place. */
export function resolveSessionCache(options: CacheOptions): SessionCache {
  const { sessionCache } = options;
  const kind = kindOfCache(sessionCache);
  if (kind === 'incompatible') throw incompatibleCopy('sessionCache');
  if (kind === 'cache') {
    for (const name of ['maxCachedSessions', 'ticketReuse'] as const) {
      if (options[name] === undefined || options[name] === null) continue;
      throw invalidValue(name, 'left to the given "sessionCache"', options[name]);
    }
    return sessionCache as SessionCache;
  }
  if (sessionCache !== undefined && sessionCache !== null && sessionCache !== false && kind !== 'copy') {
    throw invalidType('sessionCache', 'false or an instance of SessionCache', sessionCache);
  }
  const cache = new SessionCache(options);
  if (sessionCache === false) cache.maxCachedSessions = 0;
  return cache;
}
