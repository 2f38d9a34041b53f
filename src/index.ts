/** The public surface. */
export { PoolingAgent } from './agent.js';
export type { PoolingAgentOptions } from './options.js';
