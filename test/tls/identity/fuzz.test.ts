/** Random pairs of option sets: one identity exactly if they are equal, by a rule written independently. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byEffort } from '../../support/effort.js';
import fc from '../../support/fast-check.js';
import { presentKey } from '../../sessions/sessions.js';
import { identities, optionSets, oracle } from './support.js';
import type { Options } from './support.js';

const LIMIT = { timeout: 120_000 };
const RUNS = byEffort(2500);

/** Some on the agent, the others on the request. */
const split = fc.func(fc.boolean());

test('two requests share exactly if their options are equal', LIMIT, () => {
  let equal = 0;
  fc.assert(
    fc.property(optionSets, ([one, another]) => {
      const all = identities();
      const expected = oracle(one) === oracle(another);
      if (expected) equal++;
      const first = all.resolve(one, {}, undefined);
      const second = all.resolve(another, {}, undefined);
      assert.equal(first === second, expected);
      assert.equal(presentKey(first, one).id === presentKey(second, another).id, expected);
      // Again, recognised by the very values, and by content.
      assert.equal(all.resolve({ ...another }, {}, undefined), second);
      assert.equal(all.resolve({ ...one }, {}, undefined), first);
    }),
    { numRuns: RUNS },
  );
  assert.ok(equal > RUNS / 10, `only ${equal} equal pairs`);
});

test('it does not matter what is given to the agent and what to the request', LIMIT, () => {
  fc.assert(
    fc.property(optionSets, split, ([one, another], onAgent) => {
      const all = identities();
      const resolve = (options: Options) => {
        const entries = Object.entries(options);
        const agent = Object.fromEntries(entries.filter(([name]) => onAgent(name)));
        const request = Object.fromEntries(entries.filter(([name]) => !onAgent(name)));
        return all.resolve(request, agent, undefined);
      };
      assert.equal(resolve(one) === resolve(another), oracle(one) === oracle(another));
      assert.equal(resolve(one), all.resolve(one, {}, undefined));
    }),
    { numRuns: byEffort(1000) },
  );
});
