/**
 * A known defect of Node's own agent, told by one test that runs twice: over ours it has to pass, over Node's it has
 * to fail, and with the symptom that it is known for. Where a newer Node has mended it, both have to pass.
 */
import assert from 'node:assert/strict';
import type { Agent as NodesAgent } from 'node:https';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { PoolingAgentOptions } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { Agent } from '../support/protocol.js';

export interface Bench {
  readonly t: TestContext;
  readonly kind: 'ours' | 'core';
  /** An agent with keepAlive; it goes with the test. */
  agent(options: PoolingAgentOptions): NodesAgent;
  /** For an event that comes. For the one of the symptom, which does not come over Node's agent, that one gets less time. */
  soon<T>(promise: Promise<T>, what: string): Promise<T>;
  until(condition: () => boolean, what: string): Promise<void>;
}

interface Defect {
  /** The message of the failure over Node's agent. */
  readonly symptom: RegExp;
  /** Whether the Node that runs this has it, if not all have. */
  readonly here?: boolean;
}

/** Milliseconds for what comes, on the busiest machine, and for what does not. */
const PATIENCE = 20_000;
const IN_VAIN = 700;

export function defect(
  title: string,
  { symptom, here = true }: Defect,
  body: (bench: Bench) => Promise<void>,
): void {
  describe(title, () => {
    it('PoolingAgent', { timeout: 120_000 }, (t) => body(bench(t, 'ours', symptom)));
    it(
      here ? "Node's agent has it" : "Node's agent had it in older versions",
      { timeout: 120_000 },
      async (t) => {
        if (here) await assert.rejects(body(bench(t, 'core', symptom)), symptom);
        else await body(bench(t, 'core', symptom));
      },
    );
  });
}

function bench(t: TestContext, kind: 'ours' | 'core', symptom: RegExp): Bench {
  const patienceFor = (what: string): number =>
    kind === 'core' && symptom.test(`in vain: ${what}`) ? IN_VAIN : PATIENCE;
  return {
    t,
    kind,
    agent(options) {
      if (kind === 'ours') return poolingAgent(t, options);
      const agent = new Agent({ keepAlive: true, ...(options as object) });
      t.after(() => agent.destroy());
      return agent;
    },
    async soon(promise, what) {
      const over = new AbortController();
      const late = setTimeout(patienceFor(what), undefined, { signal: over.signal }).then(
        () => assert.fail(`in vain: ${what}`),
        () => undefined as never,
      );
      try {
        return await Promise.race([promise, late]);
      } finally {
        over.abort();
      }
    },
    async until(condition, what) {
      const deadline = Date.now() + patienceFor(what);
      while (!condition()) {
        if (Date.now() > deadline) assert.fail(`in vain: ${what}`);
        await setTimeout(1);
      }
    },
  };
}
