/** The options that undici's `Agent` is created with. */
import type { Agent } from 'undici';
import { lookup } from '../lookup.js';
import type { ClientSettings } from './contender.js';

/** Its default of 4 s would close connections while the other contenders have their turn. */
const KEEP_ALIVE_TIMEOUT = 120_000;

export function undiciOptions({ ca, caPerRequest, maxSockets, sessions }: ClientSettings): Agent.Options {
  if (caPerRequest) throw new Error('undici takes no CA with a request');
  return {
    connections: maxSockets === Infinity ? null : maxSockets,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    connect: { ca: [...ca], lookup, ...(!sessions && { maxCachedSessions: 0 }) },
  };
}
