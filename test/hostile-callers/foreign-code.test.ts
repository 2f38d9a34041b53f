/** Users' own code that misbehaves wherever the agent calls it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LIMIT } from '../contract/support.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

describe('a limit lowered in keepSocketAlive is obeyed at once', () => {
  for (const name of ['maxSockets', 'maxTotalSockets', 'maxFreeSockets', 'keepAlive'] as const) {
    it(name, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const agent = poolingAgent(t);
      agent.keepSocketAlive = () => {
        if (name === 'keepAlive') agent.keepAlive = false;
        else agent[name] = 0;
        return true;
      };
      await get(server, { agent });
      await until(() => agent.totalSocketCount === 0);
      assert.equal(idleCount(agent), 0);

      Object.assign(agent, { [name]: name === 'keepAlive' ? true : 1 });
      assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
    });
  }
});
