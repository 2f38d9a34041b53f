/** Whoever keeps something for each async id (tracing, `cls-hooked`) is told when it can go. */
import assert from 'node:assert/strict';
import { createHook } from 'node:async_hooks';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMIT } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

it('the async resource of a request that waited is destroyed', LIMIT, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const open = new Set<number>();
  let waited = 0;
  const hook = createHook({
    init(id, type) {
      if (type !== 'PendingRequest') return;
      waited++;
      open.add(id);
    },
    destroy: (id) => void open.delete(id),
  }).enable();
  t.after(() => hook.disable());

  const server = await httpsServer(t);
  const agent = poolingAgent(t, { maxSockets: 2 });
  await Promise.all(Array.from({ length: 50 }, () => get(server, { agent })));
  assert.ok(waited > 0);
  await until(() => {
    collect();
    // The garbage collector may keep one that a register still points to.
    return open.size <= 1;
  });
});
