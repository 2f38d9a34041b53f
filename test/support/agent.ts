/** Agents for tests: audited, and destroyed after the test. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { auditAlso } from './audit.js';
import { kPool, PoolingAgent } from '../../src/agent/pooling-agent.js';
import { AgentPool } from '../../src/connections/agent-pool.js';
import type { SocketDriver } from '../../src/connections/driver.js';
import type { AgentKinds } from '../../src/connections/pooled-socket.js';
import { recorderOf } from '../../src/observe/recorder.js';
import { addsUp, totalsOf } from '../../src/observe/stats.js';
import type { PoolingAgentOptions } from '../../src/options/options.js';
import type { Pool } from '../../src/pool/pool.js';

export function poolingAgent(t: TestContext, options?: PoolingAgentOptions): PoolingAgent {
  const agent = new PoolingAgent(options);
  auditAlso(poolOf(agent), () => auditCounts(agent));
  t.after(() => {
    agent.destroy();
    auditCounts(agent);
    const { queued, waiting } = totalsOf(poolOf(agent));
    assert.equal(waiting, 0, 'nobody waits for an agent that was destroyed');
    assert.equal(recorderOf(agent[kPool]).timesInQueue, queued, 'whatever was queued has left the queue');
  });
  return agent;
}

/** What the agent says of itself agrees with itself. */
function auditCounts(agent: PoolingAgent): void {
  const stats = totalsOf(poolOf(agent));
  assert.ok(addsUp(stats), 'what was begun is open, has failed or is closed');
  const { active, closing, connecting, idle } = stats;
  assert.ok(Math.min(active, closing, connecting, idle) >= 0, 'counts are not negative');
  assert.equal(active + closing + connecting + idle, agent.totalSocketCount);
  assert.ok(recorderOf(agent[kPool]).timesInQueue <= stats.queued, 'only what was queued leaves the queue');
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
