/** Node's own `https.Agent`. */
import { Agent } from 'node:https';
import type { AgentOptions } from 'node:https';
import { agentClient } from './agent-client.js';
import { agentOptions, proxyUrl } from './agent-options.js';
import type { Contender } from './contender.js';

export const contender: Contender = {
  create(settings) {
    const proxyEnv = settings.proxyPort && { proxyEnv: { https_proxy: proxyUrl(settings) } };
    return agentClient(new Agent({ ...agentOptions(settings), ...proxyEnv } as AgentOptions), settings);
  },
};
