/** Agents for tests: audited, and destroyed after the test. */
import type { TestContext } from 'node:test';
import './audit.js';
import { kPool, PoolingAgent } from '../../src/agent/pooling-agent.js';
import { AgentPool } from '../../src/connections/agent-pool.js';
import type { SocketDriver } from '../../src/connections/driver.js';
import type { AgentKinds } from '../../src/connections/pooled-socket.js';
import type { PoolingAgentOptions } from '../../src/options/options.js';
import type { Pool } from '../../src/pool/pool.js';

export function poolingAgent(t: TestContext, options?: PoolingAgentOptions): PoolingAgent {
  const agent = new PoolingAgent(options);
  t.after(() => agent.destroy());
  return agent;
}

/** What the public surface does not show. */
export function driverOf(agent: PoolingAgent): SocketDriver {
  return AgentPool.driverOf(agent[kPool]);
}

export function poolOf(agent: PoolingAgent): Pool<AgentKinds> {
  return driverOf(agent).pool;
}

export function idleCount(agent: PoolingAgent): number {
  return Object.values(agent.freeSockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
}

export function activeCount(agent: PoolingAgent): number {
  return Object.values(agent.sockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
}

export function waitingCount(agent: PoolingAgent): number {
  return Object.values(agent.requests).reduce((sum, requests) => sum + (requests?.length ?? 0), 0);
}
