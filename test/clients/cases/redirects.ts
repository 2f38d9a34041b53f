/** Redirects, within a server and to another. */
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import { it } from 'node:test';
import { poolingAgent } from '../../support/agent.js';
import { httpsServer } from '../../support/server.js';
import type { PoolingAgent } from '../../../src/index.js';
import type { Client } from '../client.js';
import { LIMIT, quiet } from '../support.js';

/** `/3` leads to `/2`, that to `/1`, that to `target`. Redirects have a body, as most servers' do. */
function countdown(status: number, target: string): RequestListener {
  return (req, res) => {
    const left = Number(req.url?.slice(1));
    if (left) {
      const location = left === 1 ? target : `/${left - 1}`;
      res.writeHead(status, { location, 'content-type': 'text/html' });
      res.end('<p>Moved.</p>');
    } else {
      res.end(req.url);
    }
  };
}

export function redirectCases(client: Client): void {
  const { finishesRedirects } = client.traits;
  const finish = async (agent: PoolingAgent): Promise<void> => {
    if (finishesRedirects) await quiet(agent);
  };

  for (const status of [301, 302]) {
    it(`${status} to another path`, LIMIT, async (t) => {
      const server = await httpsServer(t, countdown(status, '/here'));
      const agent = poolingAgent(t, { ca: server.ca });
      const reply = await client.get(`${server.url}/3`, { agent });
      assert.deepEqual(reply, { status: 200, body: '/here' });
      assert.equal(server.requests(), 4);
      await finish(agent);
    });

    it(`${status} to another server`, LIMIT, async (t) => {
      const target = await httpsServer(t);
      const server = await httpsServer(t, countdown(status, `${target.url}/there`));
      const agent = poolingAgent(t, { ca: server.ca });
      const reply = await client.get(`${server.url}/2`, { agent });
      assert.deepEqual(reply, { status: 200, body: '/there' });
      assert.equal(target.requests(), 1);
      assert.equal(server.requests(), 2);
      await finish(agent);
    });
  }

  const skip = finishesRedirects ? false : 'each redirect keeps its connection';
  it('many at once over one connection', { ...LIMIT, skip }, async (t) => {
    const server = await httpsServer(t, countdown(302, '/here'));
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => client.get(`${server.url}/2`, { agent })),
    );
    for (const reply of replies) assert.deepEqual(reply, { status: 200, body: '/here' });
    assert.equal(server.peak(), 1);
    await quiet(agent);
  });
}
