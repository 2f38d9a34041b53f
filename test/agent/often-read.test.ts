/**
 * A warm request reads some dozen properties of its agent. V8 reads them from a table of hashes if the agent is in dictionary mode, which takes many times as
 * long. Accessors in place of Node's own properties put it there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import { PoolingAgent, PoolingHttpAgent } from '../../src/index.js';

function hasFastProperties(object: object): boolean {
  setFlagsFromString('--allow-natives-syntax');
  try {
    const ask = runInThisContext('(object) => %HasFastProperties(object)') as (object: object) => boolean;
    return ask(object);
  } finally {
    setFlagsFromString('--no-allow-natives-syntax');
  }
}

function readOften(agent: PoolingAgent | PoolingHttpAgent): void {
  let sum = 0;
  for (let i = 0; i < 10_000; i++) sum += agent.maxFreeSockets + agent.keepAliveMsecs;
  assert.ok(sum > 0);
}

class Subclass extends PoolingAgent {
  readonly more = true;
}

for (const Agent of [PoolingAgent, PoolingHttpAgent, Subclass]) {
  test(`a ${Agent.name} that is often read is in no dictionary mode`, () => {
    const agent = new Agent();
    readOften(agent);
    assert.equal(hasFastProperties(agent), true);
    agent.maxSockets = 7;
    agent.on('free', () => {});
    readOften(agent);
    assert.equal(hasFastProperties(agent), true);
    agent.destroy();
  });
}
