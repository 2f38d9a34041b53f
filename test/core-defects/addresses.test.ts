/** Names: what is known of them is forgotten at once. */
import assert from 'node:assert/strict';
import { fakeLookup, site } from '../egress/support.js';
import { get } from '../support/server.js';
import { until } from '../support/until.js';
import { defect } from './support.js';

const host = 'api.test.localhost';

defect(
  'every new connection tries a dead first address again',
  { symptom: /a dead address was tried again/ },
  async ({ t, agent: make }) => {
    const live = await site(t, '127.0.0.3');
    fakeLookup(t, '127.0.0.2', '127.0.0.3');
    const agent = make({ keepAlive: false });
    for (let round = 0; round < 3; round++) {
      const { body, req } = await get(live, { agent, host });
      assert.equal(body, live.address);
      const tried = Reflect.get(req.socket ?? {}, 'autoSelectFamilyAttemptedAddresses') as string[];
      assert.ok(round === 0 || tried.length === 1, 'a dead address was tried again');
    }
  },
);

defect(
  'connections that are opened at one time have a look-up each',
  { symptom: /look-ups for one name/ },
  async ({ t, agent: make }) => {
    const live = await site(t, '127.0.0.2');
    const fake = fakeLookup(t);
    const agent = make({ keepAlive: false });
    const answers = Array.from({ length: 10 }, () => get(live, { agent, host }));
    await until(() => (agent as { totalSocketCount?: number }).totalSocketCount === 10);
    const { length } = fake.asked;
    for (const one of fake.asked) one.answer(live.address);
    await Promise.all(answers);
    assert.equal(length, 1, `${length} look-ups for one name`);
  },
);
