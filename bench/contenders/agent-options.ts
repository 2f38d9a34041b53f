/** The options that every agent is created with. */
import type { AgentOptions } from 'node:https';
import { lookup } from '../lookup.js';
import type { ClientSettings } from './contender.js';

export function agentOptions(settings: ClientSettings): AgentOptions {
  const { ca, caPerRequest, maxSockets, keepAlive, sessions } = settings;
  return {
    keepAlive,
    maxSockets,
    ...(!sessions && { maxCachedSessions: 0 }),
    ...(!caPerRequest && { ca: [...ca] }),
    // Node's agents pass it on to `net.connect`; their typings do not say so.
    ...{ lookup },
  };
}
