/** When a connection became idle, and until when it may be: counted anew each time that it comes back from a request. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { untilIdle } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { get } from '../support/server.js';
import { connectionOf, endingServer, LIMIT } from '../connections/support.js';

for (const validateAfterIdle of [0, Infinity]) {
  test(
    `the age of an idle connection begins with its last request (validateAfterIdle: ${validateAfterIdle})`,
    LIMIT,
    async (t) => {
      const server = await endingServer(t);
      const agent = poolingAgent(t, {
        ca: server.ca,
        validateAfterIdle,
        idleTimeout: 60_000,
        maxIdleTimeout: 90_000,
      });
      const connection = connectionOf((await get(server, { agent })).req);
      await untilIdle(agent);
      for (let i = 0; i < 3; i++) {
        const { idleSince, expiresAt, safeUntil, validateAt } = connection;
        assert.equal(Math.round(expiresAt - idleSince), 60_000);
        // It came back before, so that a clock of whole milliseconds can tell.
        await setTimeout(3);
        assert.equal(connectionOf((await get(server, { agent })).req), connection);
        await untilIdle(agent);
        assert.ok(connection.idleSince > idleSince, 'idle since then');
        assert.ok(connection.expiresAt > expiresAt);
        assert.equal(Math.round(connection.expiresAt - connection.idleSince), 60_000);
        if (safeUntil !== Infinity) assert.ok(connection.safeUntil > safeUntil);
        if (validateAt !== Infinity) assert.ok(connection.validateAt > validateAt);
      }
      assert.equal(server.connections(), 1);
    },
  );
}
