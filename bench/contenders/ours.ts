/** This package. */
import { PoolingAgent } from '../../src/index.js';
import { agentClient } from './agent-client.js';
import { agentOptions, proxyUrl } from './agent-options.js';
import type { Contender } from './contender.js';

export const contender: Contender = {
  create(settings) {
    // With many hosts in turn, each connection is idle for longer than the default allows.
    const idleTimeout = settings.manyHosts ? Infinity : undefined;
    const proxy = settings.proxyPort ? proxyUrl(settings) : undefined;
    return agentClient(new PoolingAgent({ ...agentOptions(settings), idleTimeout, proxy }), settings);
  },
};
