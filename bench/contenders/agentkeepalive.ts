/** The package agentkeepalive. */
import agentkeepalive from 'agentkeepalive';
import { agentClient } from './agent-client.js';
import { agentOptions } from './agent-options.js';
import type { Contender } from './contender.js';

/** Its default of 4 s would close connections while the other contenders have their turn. */
const FREE_SOCKET_TIMEOUT = 120_000;

export const contender: Contender = {
  create: (settings) =>
    agentClient(
      new agentkeepalive.HttpsAgent({ ...agentOptions(settings), freeSocketTimeout: FREE_SOCKET_TIMEOUT }),
      settings,
    ),
};
