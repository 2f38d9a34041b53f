/** The option `sessionCache`: a shared cache, none, or one of the agent's own. */
import { incompatibleCopy, invalidType, invalidValue } from '../errors.js';
import { kindOfCache, SessionCache } from '../sessions/session-cache.js';
import type { SessionCacheOptions } from '../sessions/session-cache.js';

interface CacheOptions extends SessionCacheOptions {
  readonly sessionCache?: SessionCache | false | undefined;
}

/** Configuration libraries copy option values. A copy of a cache is useless: then the agent gets a cache of its own. */
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
