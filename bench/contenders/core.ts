/** Node's own `https.Agent`. */
import { Agent } from 'node:https';
import { agentClient } from './agent-client.js';
import { agentOptions } from './agent-options.js';
import type { Contender } from './contender.js';

export const contender: Contender = {
  create: (settings) => agentClient(new Agent(agentOptions(settings)), settings),
};
