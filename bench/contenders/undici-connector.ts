/** `undici.request` over undici's `Agent`, with connections that this package opens. */
import { Agent, request } from 'undici';
import { PoolingAgent } from '../../src/index.js';
import { connector } from '../../src/undici/index.js';
import { agentOptions } from './agent-options.js';
import type { Contender } from './contender.js';
import { requestClient } from './fetch-client.js';
import { undiciOptions } from './undici-options.js';

export const contender: Contender = {
  create(settings) {
    const connect = connector(new PoolingAgent(agentOptions(settings)));
    const dispatcher = new Agent({ ...undiciOptions(settings), connect });
    return requestClient(request, dispatcher, settings, () => void dispatcher.destroy());
  },
};
