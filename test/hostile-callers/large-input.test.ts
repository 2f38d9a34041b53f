/**
 * Input of any size: hosts out of URLs, rules, queues (and exports of sessions: large-imports.test.ts). The work for it grows with its size at most,
 * and nothing is a call with as many arguments. Steps are counted here, not milliseconds.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysFor } from '../../src/limits/pattern.js';
import { HostRules } from '../../src/limits/rules.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Kinds } from '../../src/pool/kinds.js';
import { WaitQueue } from '../../src/pool/wait-queue.js';
import { LIMIT } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { limitsWith } from '../support/limits.js';
import { nodes } from '../support/node-protocol.js';

test('a host with 8000 labels is compared with no more patterns than a host can have', LIMIT, async (t) => {
  const long = `${'a.'.repeat(8000)}internal`;
  assert.equal([...keysFor(long, 443)].length, 0);
  const longest = `${'a.'.repeat(122)}internal1`;
  assert.equal(longest.length, 253);
  assert.equal([...keysFor(longest, 443)].length, 2 * 123);
  assert.equal([...keysFor(`b${longest}`, 443)].length, 0);

  const rules = new HostRules({ '*.internal1': { maxSockets: 1 }, '*': { maxSockets: 2 } }, limitsWith());
  assert.equal(rules.limitsFor(longest, 443).maxSockets, 1);
  assert.equal(rules.limitsFor(`${longest}.`, 443).maxSockets, 1, 'a dot at the end is no part of the name');
  assert.equal(rules.limitsFor(long, 443).maxSockets, 2, 'rules for any host are for this one, too');
  const asked: string[] = [];
  const agent = poolingAgent(t, { hosts: (host) => void asked.push(host) });
  agent.setHostLimits('*.internal', { maxSockets: 0 });
  const error = await new Promise((resolve) => {
    const lookup = (_host: string, _options: unknown, done: (error: Error) => void): void =>
      done(new Error('no'));
    nodes.get({ host: long, agent, lookup } as never).on('error', resolve);
  });
  assert.equal((error as Error).message, 'no');
  assert.deepEqual(asked, [long]);
});

test('a queue of any priority may be longer than a call may have arguments', () => {
  const host = new HostPool<Kinds>(undefined, limitsWith());
  const queue = new WaitQueue<Waiter<Kinds>>();
  const count = 200_000;
  for (let i = 0; i < count; i++) {
    const waiter = new Waiter<Kinds>(host, undefined, 'replayable', 0, i % 8 === 0 ? 3 : 7);
    waiter.arrival = i;
    queue.push(waiter);
  }
  let next = 0;
  for (const { arrival } of queue) if (arrival === next) next++;
  assert.equal(next, count);
});

test('thousands of rules are set one by one, and each holds', () => {
  const rules = new HostRules(undefined, limitsWith({ maxTotalSockets: 5000 }));
  const count = 4000;
  const undo = Array.from({ length: count }, (_, i) =>
    rules.set(`h${i}.test`, { maxSockets: i + 1, reserve: 1 }),
  );
  assert.equal(rules.reserving.length, count);
  assert.equal(rules.limitsFor('h3999.test', 1).maxSockets, 4000);
  assert.throws(() => rules.set('more.test', { reserve: 1000 }), {
    code: 'ERR_OUT_OF_RANGE',
    message: /at most 999/,
  });
  rules.set('h0.test', { maxSockets: 7, reserve: 1000 });
  assert.throws(() => rules.set('more.test', { reserve: 1 }), {
    code: 'ERR_OUT_OF_RANGE',
    message: /at most 0/,
  });
  rules.set('h0.test', undefined);
  undo[3999]?.();
  assert.equal(rules.limitsFor('h3999.test', 1).maxSockets, Infinity);
  rules.set('more.test', { reserve: 1001 });
  assert.equal(rules.reserving.length, count - 1);
});
