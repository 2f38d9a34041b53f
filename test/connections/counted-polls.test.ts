/** Whether Node counts the polls of its loop is found out by requests, and not wrongly: in a process of its own, because the first finding counts. */
import assert from 'node:assert/strict';
import { get } from 'node:https';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pendingRead } from '../../src/node/handle.js';
import { pollCount } from '../../src/node/poll-count.js';
import { poolingAgent } from '../support/agent.js';
import { threadedServer } from '../support/threaded-server.js';

const LIMIT = { timeout: 60_000 };

function answered(url: string, options: object): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, options, (res) => res.resume().on('end', resolve)).on('error', reject);
  });
}

test('requests on a connection that has rested show that polls are counted', LIMIT, async (t) => {
  // Where the system tells what it has for a connection, nobody asks for polls.
  t.after(pendingRead.switchOff());
  const { url, ca } = await threadedServer(t);
  const agent = poolingAgent(t, { ca });
  for (let i = 0; i < 40; i++) {
    // In one of two turns the loop finds nothing but the end of a timer.
    if (i % 2 === 1) await setTimeout(5);
    await answered(url, { agent });
    assert.ok(pollCount.holds, `request ${i}`);
  }
  assert.ok(pollCount.isKnown);
});
