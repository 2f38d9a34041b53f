/** `undici.request` over this package's dispatcher. */
import { request } from 'undici';
import { PoolingAgent } from '../../src/index.js';
import { dispatcher } from '../../src/undici/index.js';
import { agentOptions } from './agent-options.js';
import type { Contender } from './contender.js';
import { requestClient } from './fetch-client.js';

export const contender: Contender = {
  create(settings) {
    const agent = new PoolingAgent(agentOptions(settings));
    return requestClient(request, dispatcher(agent), settings, () => agent.destroy());
  },
};
