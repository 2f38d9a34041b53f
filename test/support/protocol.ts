/**
 * The protocol that the tests of this process speak, with Node's functions and our agent for it. Tests that are about both protocols import them from here, and
 * run once over each: `over-http.test.ts` of a folder names them.
 */
import { PoolingAgent as SecureAgent } from '../../src/agent/pooling-agent.js';
import { PoolingHttpAgent } from '../../src/agent/http-agent.js';
import { isPlain } from './node-protocol.js';

export * from './node-protocol.js';

/** Our agent. */
export const PoolingAgent = (isPlain ? PoolingHttpAgent : SecureAgent) as typeof SecureAgent;
export type PoolingAgent = SecureAgent;
