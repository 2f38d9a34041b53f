/** Agents for tests: audited, and destroyed after the test. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { auditAlso } from './audit.js';
import { kPool } from '../../src/agent/pooling-agent.js';
import { AgentPool } from '../../src/connections/agent-pool.js';
import type { Parts } from '../../src/connections/parts.js';
import type { AgentKinds } from '../../src/connections/pooled-socket.js';
import { PoolingAgent } from './protocol.js';
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
    assert.equal(
      recorderOf(agent[kPool]).timeInQueue.count,
      queued,
      'whatever was queued has left the queue',
    );
  });
  return agent;
}

/** Checks that the counts of the agent agree with each other. */
function auditCounts(agent: PoolingAgent): void {
  const stats = totalsOf(poolOf(agent));
  assert.ok(addsUp(stats), 'what was begun is open, has failed or is closed');
  const { active, closing, connecting, idle } = stats;
  assert.ok(Math.min(active, closing, connecting, idle) >= 0, 'counts are not negative');
  assert.equal(active + closing + connecting + idle, agent.totalSocketCount);
  assert.ok(
    recorderOf(agent[kPool]).timeInQueue.count <= stats.queued,
    'only what was queued leaves the queue',
  );
}

/** The parts behind the public surface. */
export function partsOf(agent: PoolingAgent): Parts {
  return AgentPool.partsOf(agent[kPool]);
}

export function poolOf(agent: PoolingAgent): Pool<AgentKinds> {
  return partsOf(agent).pool;
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
