/** This package. */
import { PoolingAgent } from '../../src/index.js';
import { agentClient } from './agent-client.js';
import { agentOptions } from './agent-options.js';
import type { Contender } from './contender.js';

export const contender: Contender = {
  create: (settings) => agentClient(new PoolingAgent(agentOptions(settings)), settings),
};
