/** `req.setTimeout` and `timeout` of requests that wait, however and whenever they are given. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import type { ClientRequest } from 'node:http';
import { it } from 'node:test';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { holdingServer, LIMIT } from '../contract/support.js';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const TOO_LONG = 2 ** 32;

function ask(server: TestServer, agent: ReturnType<typeof poolingAgent>): ClientRequest {
  const req = request({ host: 'localhost', port: server.port, ca: server.ca, agent });
  req.on('error', () => {});
  req.end();
  return req;
}

it('a timeout set in the tick of the request runs while it waits', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 2 });
  const timedOut = new Set<ClientRequest>();
  const reqs = Array.from({ length: 5 }, () => ask(server, agent));
  for (const req of reqs) req.setTimeout(60_000).setTimeout(50, () => timedOut.add(req));
  await until(() => timedOut.size === reqs.length);
  assert.equal(waitingCount(agent), 3);
});

it('a timeout of 0, set in the tick of the request, turns that of the agent off', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const agent = poolingAgent(t, { maxSockets: 2, timeout: 20 });
  let timeouts = 0;
  // Those that dial have the agent's timeout until they are connected, as with Node's agent.
  ask(server, agent);
  ask(server, agent);
  for (let i = 0; i < 3; i++) ask(server, agent).setTimeout(0, () => timeouts++);
  await until(() => waitingCount(agent) === 3);
  await setTimeout(60);
  assert.equal(timeouts, 0);
});

it('longer than a timer can be: no timeout at once', LIMIT, async (t) => {
  const server = await holdingServer(t);
  const own = poolingAgent(t, { maxSockets: 1 });
  const agents = [own, poolingAgent(t, { maxSockets: 1, timeout: TOO_LONG })];
  let timeouts = 0;
  for (const agent of agents) {
    for (let i = 0; i < 3; i++) {
      const req = ask(server, agent).on('timeout', () => timeouts++);
      if (agent !== own) continue;
      if (i === 2) await setImmediate();
      req.setTimeout(TOO_LONG);
    }
  }
  await until(() => server.held.length === 2);
  await setTimeout(20);
  assert.equal(timeouts, 0);
});

it('nonsense written to `agent.options.timeout` costs no connection', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { maxSockets: 1 });
  await get(server, { agent });
  for (const nonsense of [-1, NaN, 'soon', {}, 5n, Symbol('soon')]) {
    Reflect.set(agent.options, 'timeout', nonsense);
    await Promise.all([get(server, { agent }), get(server, { agent })]);
  }
  assert.equal(server.connections(), 1);
});

it('nonsense written to a duration of the agent itself is refused', LIMIT, (t) => {
  const agent = poolingAgent(t);
  for (const name of ['keepAliveMsecs', 'agentKeepAliveTimeoutBuffer'] as const) {
    for (const nonsense of [-1, NaN, -Infinity, 'soon', '5', {}, 5n, Symbol('soon')]) {
      assert.throws(() => Reflect.set(agent, name, nonsense), {
        code: typeof nonsense === 'number' ? 'ERR_OUT_OF_RANGE' : 'ERR_INVALID_ARG_TYPE',
      });
    }
    assert.equal(agent[name], 1000);
    Reflect.set(agent, name, null);
    assert.equal(agent[name], 1000, 'the default');
    agent[name] = 5;
    assert.equal(agent[name], 5);
  }
});
