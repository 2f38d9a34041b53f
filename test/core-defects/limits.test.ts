/** Defects 3 and 4: requests that wait for a slot under a limit. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { get, httpsServer } from '../support/server.js';
import { defect } from './support.js';

defect(
  '3. an idle connection of one host blocks another at maxTotalSockets',
  { symptom: /in vain: an answer from the other host/ },
  async ({ t, agent: make, soon }) => {
    const [a, b] = [await httpsServer(t), await httpsServer(t)];
    const agent = make({ ca: a.ca, maxTotalSockets: 1 });
    await get(a, { agent });
    assert.equal((await soon(get(b, { agent, path: '/b' }), 'an answer from the other host')).body, '/b');
    assert.equal((await soon(get(a, { agent, path: '/a' }), 'an answer from the first host')).body, '/a');
    assert.equal(a.peak() + b.peak(), 2);
  },
);

defect(
  '3. maxTotalSockets is exceeded',
  { symptom: /2 connections at once/ },
  async ({ t, agent: make, soon }) => {
    let open = 0;
    let peak = 0;
    const servers = [await httpsServer(t), await httpsServer(t)];
    for (const { server } of servers) {
      server.on('connection', (socket) => {
        peak = Math.max(peak, ++open);
        socket.on('close', () => open--);
      });
    }
    const [{ ca }] = servers as [(typeof servers)[number]];
    const agent = make({ ca, maxTotalSockets: 1 });
    // Both ask while nothing is open, again and again.
    for (let round = 0; round < 5; round++) {
      const answers = servers.flatMap((server) => [get(server, { agent }), get(server, { agent })]);
      await soon(Promise.all(answers), `${peak} connections at once`);
    }
    assert.equal(peak, 1, `${peak} connections at once`);
  },
);

defect(
  '4. a saturated host stops the search for waiters of other hosts',
  { symptom: /in vain: an answer from the host that could have gone/ },
  async ({ t, agent: make, soon, until }) => {
    const held: ServerResponse[] = [];
    const saturated = await httpsServer(t, (_req, res) => void held.push(res));
    const closing = await httpsServer(t, (_req, res) => {
      res.setHeader('connection', 'close');
      held.push(res);
    });
    const other = await httpsServer(t);
    const agent = make({ ca: other.ca, maxSockets: 1, maxTotalSockets: 2 });

    const active = get(saturated, { agent });
    const queued = get(saturated, { agent });
    const ending = get(closing, { agent });
    const waiting = get(other, { agent, path: '/other' });
    for (const answer of [active, queued, ending, waiting]) answer.catch(() => {});
    await until(() => held.length === 2, 'both active');
    held.find((res) => res.getHeader('connection') === 'close')?.end();
    await ending;
    const answer = await soon(waiting, 'an answer from the host that could have gone');
    assert.equal(answer.body, '/other');
    held[0]?.end();
    await until(() => held.length === 3, 'the queued one');
    held[2]?.end();
    await Promise.all([active, queued]);
  },
);
