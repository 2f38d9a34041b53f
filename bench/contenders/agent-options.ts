/** The options that every agent is created with. */
import type { AgentOptions } from 'node:https';
import { lookup } from '../lookup.js';
import type { ClientSettings } from './contender.js';

export function proxyUrl({ proxyPort }: ClientSettings): string {
  return `http://127.0.0.1:${proxyPort}`;
}

export function agentOptions(settings: ClientSettings): AgentOptions {
  const { ca, caPerRequest, maxSockets, keepAlive, looksUp, sessions } = settings;
  return {
    keepAlive,
    maxSockets,
    ...(!sessions && { maxCachedSessions: 0 }),
    ...(!caPerRequest && { ca: [...ca] }),
    // Node's agents pass it on to `net.connect`; their typings do not say so.
    ...(!looksUp && { lookup }),
  };
}
