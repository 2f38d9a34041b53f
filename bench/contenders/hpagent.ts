/** `hpagent`: Node's agent with another way to open connections. Only through a proxy. */
import { HttpsProxyAgent } from 'hpagent';
import { agentClient } from './agent-client.js';
import { agentOptions, proxyUrl } from './agent-options.js';
import type { Contender } from './contender.js';

export const contender: Contender = {
  create: (settings) =>
    agentClient(new HttpsProxyAgent({ ...agentOptions(settings), proxy: proxyUrl(settings) }), settings),
};
