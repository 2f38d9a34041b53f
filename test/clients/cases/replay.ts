/** A connection that was lost unnoticed is nobody's affair but the agent's. */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { idleCount, poolingAgent } from '../../support/agent.js';
import { httpsServer } from '../../support/server.js';
import type { Client } from '../client.js';
import { failureOf, LIMIT, quiet } from '../support.js';
import { until } from '../../support/until.js';

/** How a server gives a connection up when it gets a request on it. */
const LOSSES = ['end of file', 'reset'] as const;

export function replayCases(client: Client): void {
  for (const loss of LOSSES) {
    it(`a GET goes on, a POST fails once: ${loss}`, LIMIT, async (t) => {
      const seen: string[] = [];
      const served = new WeakSet();
      const server = await httpsServer(t, (req, res) => {
        seen.push(`${req.method} ${req.url}`);
        if (!served.has(req.socket)) {
          served.add(req.socket);
          res.end(req.url);
        } else if (loss === 'reset') {
          raw.get(req.socket.remotePort)?.resetAndDestroy();
        } else {
          req.socket.end();
        }
      });
      const raw = new Map<number | undefined, Socket>();
      server.server.on('connection', (socket: Socket) => raw.set(socket.remotePort, socket));

      // An agent each: the loss of the GET teaches that the server closes right after an answer, and nothing is kept idle then.
      for (const [index, second] of ['GET', 'POST'].entries()) {
        const agent = poolingAgent(t, { ca: server.ca });
        const url = `${server.url}/${index}`;
        assert.deepEqual(await client.get(url, { agent }), { status: 200, body: `/${index}` });
        await until(() => idleCount(agent) === 1);
        if (second === 'POST') await failureOf(client.post(url, 'body', { agent }));
        else assert.deepEqual(await client.get(url, { agent }), { status: 200, body: `/${index}` });
        await quiet(agent);
      }
      assert.deepEqual(seen, ['GET /0', 'GET /0', 'GET /0', 'GET /1', 'POST /1']);
    });
  }
}
