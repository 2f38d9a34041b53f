/** This package. */
import { PoolingAgent } from '../../src/index.js';
import { agentClient } from './agent-client.js';
import { agentOptions } from './agent-options.js';
import type { Contender } from './contender.js';

export const contender: Contender = {
  create(settings) {
    // Where all hosts have their turn, each connection is idle for longer than by default it may be.
    const idleTimeout = settings.manyHosts ? Infinity : undefined;
    return agentClient(new PoolingAgent({ ...agentOptions(settings), idleTimeout }), settings);
  },
};
