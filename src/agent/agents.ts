/** `createAgents()`: an agent for each protocol, over one pool. */
import { invalidName, invalidType } from '../errors.js';
import type { PoolingAgentOptions } from '../options/options.js';
import { PoolingHttpAgent } from './http-agent.js';
import { loadSharing } from './late.js';
import { PoolingAgent } from './pooling-agent.js';
import { kSharing } from './sharing-key.js';

/** Options of `createAgents()`: those of `PoolingAgent`. Each agent has the `protocol` and the `defaultPort` of its own kind. */
export interface AgentsOptions extends Omit<PoolingAgentOptions, 'defaultPort' | 'protocol'> {}

/** The result of `createAgents()`. */
export interface PoolingAgents {
  /** For `http:`. */
  readonly http: PoolingHttpAgent;
  /** For `https:`. */
  readonly https: PoolingAgent;
}

/**
 * Two agents over one pool, for clients that speak both protocols. Limits, fairness, the bounds of the queue and statistics are common: they read the same on both
 * agents, and a change by one is a change for both. `sockets`, `freeSockets`, `requests`, events, `destroy()`, `close()`, `closeIdleConnections()` and `closeAllConnections()` of one are about
 * its own connections and requests.
 *
 * In the patterns of `hosts`, `http://` or `https://` before a pattern makes it one for that protocol alone, which comes before the same pattern without; statistics name hosts so, too.
 *
 * @throws as the constructors do, and `ERR_INVALID_ARG_VALUE` for `protocol` and `defaultPort`
 */
export function createAgents(options: AgentsOptions | null = {}): PoolingAgents {
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  for (const name of ['protocol', 'defaultPort'] as const)
    if (((options ?? {}) as PoolingAgentOptions)[name] != null)
      throw invalidName(name, 'left out: each of the two agents has its own');
  const { Sharing } = loadSharing();
  const shared = { ...options, [kSharing]: new Sharing() };
  const https = new PoolingAgent(shared);
  try {
    return { http: new PoolingHttpAgent(shared), https };
  } catch (error) {
    // It may keep connections ready already.
    https.destroy();
    throw error;
  }
}
