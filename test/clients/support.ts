/** Small helpers for the cases. */
import assert from 'node:assert/strict';
import type { Agent as NodesAgent, AgentOptions } from 'node:https';
import type { ServerResponse } from 'node:http';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { Agent } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import type { PoolingAgent } from '../../src/index.js';
import { until } from '../support/until.js';

/** Nothing here waits on purpose; whoever is not done by then hangs. */
export const LIMIT = { timeout: 120_000 };

/** Node's own agent, to compare with. */
export function coreAgent(t: TestContext, options: AgentOptions): NodesAgent {
  const agent = new Agent({ keepAlive: true, ...options });
  t.after(() => agent.destroy());
  return agent;
}

/** No request has a connection, none waits: whatever was begun is over. */
export async function quiet(agent: PoolingAgent): Promise<void> {
  await until(() => activeCount(agent) === 0 && waitingCount(agent) === 0);
  // Late events (a second error, an unhandled rejection) show up now, in the test that caused them.
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}

export interface HoldingServer extends TestServer {
  /** Answers that a test has to give: those to `/hold`. */
  readonly held: ServerResponse[];
}

/** Answers with the path, but `/hold` only when the test does. */
export async function holdingServer(t: TestContext): Promise<HoldingServer> {
  const held: ServerResponse[] = [];
  const server = await httpsServer(t, (req, res) => {
    if (req.url === '/hold') held.push(res);
    else res.end(req.url);
  });
  return { ...server, held };
}

/** The parts of an error that callers see, and on which programs act. */
export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code: string | undefined;
  readonly cause: Failure | undefined;
}

function describeError(error: unknown): Failure {
  assert.ok(error instanceof Error, `not an error: ${String(error)}`);
  const { cause } = error;
  return {
    name: error.name,
    message: error.message,
    code: Reflect.get(error, 'code') as string | undefined,
    cause: cause instanceof Error ? describeError(cause) : undefined,
  };
}

export async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  const result = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ failure: describeError(error) }),
  );
  if ('failure' in result) return result.failure;
  return assert.fail(`did not fail, but gave ${JSON.stringify(result.value)}`);
}

/** Tries the same over a PoolingAgent and over Node's own agent: both have to fail alike. */
export async function failsAsOverCore(
  t: TestContext,
  options: AgentOptions,
  attempt: (agent: NodesAgent) => Promise<unknown>,
): Promise<Failure> {
  const agent = poolingAgent(t, options);
  const ours = await failureOf(attempt(agent));
  await quiet(agent);
  assert.deepEqual(ours, await failureOf(attempt(coreAgent(t, options))));
  return ours;
}
