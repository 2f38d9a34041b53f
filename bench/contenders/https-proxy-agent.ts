/** `https-proxy-agent`, which gives connections to a pool of Node's. Only through a proxy. */
import { HttpsProxyAgent } from 'https-proxy-agent';
import { agentClient } from './agent-client.js';
import { agentOptions, proxyUrl } from './agent-options.js';
import type { Contender } from './contender.js';

export const contender: Contender = {
  create(settings) {
    const { ca, ...options } = agentOptions(settings);
    // It leaves the options of TLS to the request. Without the protocol in there it keeps connections under another name than it looks for.
    const agent = new HttpsProxyAgent(proxyUrl(settings), options);
    return agentClient(agent, { ...settings, caPerRequest: ca !== undefined }, 'https:');
  },
};
