/** Node's `fetch` over this package's dispatcher. */
import { PoolingAgent } from '../../src/index.js';
import { dispatcher } from '../../src/undici/index.js';
import { agentOptions } from './agent-options.js';
import type { Contender } from './contender.js';
import { fetchClient, lastOnes } from './fetch-client.js';

export const contender: Contender = {
  create(settings) {
    const agent = new PoolingAgent(agentOptions(settings));
    return fetchClient(lastOnes(dispatcher(agent), settings), settings, () => agent.destroy());
  },
};
