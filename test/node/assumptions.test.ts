/** Single assumptions about Node, where the whole suite would not notice that one of them is answered wrongly. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { PoolingAgent } from '../../src/index.js';
import { Capability } from '../../src/node/capability.js';
import { isSecureContext } from '../../src/node/secure-context.js';

test('an assumption whose test throws does not hold, and somebody is told, once', async () => {
  const capability = new Capability('it is so', 'nothing is done', () => {
    throw new Error('not as we know it');
  });
  const said = once(process, 'warning') as Promise<[Error & { code?: string }]>;
  assert.equal(capability.isKnown, false);
  assert.equal(capability.holds, false);
  assert.equal(capability.isKnown, true);
  const [{ code, message }] = await said;
  assert.equal(code, 'POOLING_AGENT_NODE');
  assert.match(message, /\(it is so\): nothing is done/);
  let more = 0;
  const count = (): void => void more++;
  process.on('warning', count);
  capability.found(true);
  assert.equal(capability.holds, false, 'the first finding counts');
  await new Promise(setImmediate);
  process.removeListener('warning', count);
  assert.equal(more, 0);
});

test('an assumption that cannot be tested yet is taken for granted, and asked again', () => {
  const answers = [undefined, undefined, false];
  const capability = new Capability('it is so', 'nothing is done', () => answers.shift());
  assert.deepEqual([capability.holds, capability.isKnown], [true, false]);
  assert.deepEqual([capability.holds, capability.isKnown], [true, false]);
  const silence = process.listeners('warning');
  process.removeAllListeners('warning');
  assert.deepEqual([capability.holds, capability.isKnown], [false, true]);
  for (const listener of silence) process.on('warning', listener);
});

test('a copy of a secure context is none', () => {
  const context = createSecureContext();
  assert.equal(isSecureContext(context), true);
  const { context: native } = context as unknown as { context: object };
  const copies: Record<string, unknown> = {
    // A deep copy of it: its methods, and nothing behind them.
    'of its prototype': { context: Object.create(Object.getPrototypeOf(native) as object) as object },
    'without methods': { context: undefined },
    'of what is enumerable': structuredClone({}),
  };
  for (const [what, copy] of Object.entries(copies)) {
    assert.equal(isSecureContext(copy), false, what);
    assert.throws(() => new PoolingAgent({ secureContext: copy as never }), /secureContext/, what);
  }
});
