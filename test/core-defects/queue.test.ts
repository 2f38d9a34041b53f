/** Defects 5, 8 and 13: requests that wait. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from '../support/protocol.js';
import type { ClientRequest, ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { defect } from './support.js';
import type { Bench } from './support.js';

function ended(req: ClientRequest): Promise<void> {
  req.on('error', () => {});
  return new Promise((resolve) => req.on('close', resolve));
}

/** One request has the only connection; `end` answers it, and closes the connection. */
async function saturated({ t, until, agent: make }: Bench) {
  const held: ServerResponse[] = [];
  const server: TestServer = await httpsServer(t, (_req, res) => {
    res.setHeader('connection', 'close');
    held.push(res);
  });
  const agent = make({ ca: server.ca, maxSockets: 1 });
  const active = get(server, { agent });
  active.catch(() => {});
  await until(() => held.length === 1, 'active');
  const send = () => {
    const req = request({ host: 'localhost', port: server.port, agent });
    req.end();
    return req;
  };
  return { server, agent, active, held, send };
}

defect(
  '5. destroy() leaves the queue alive',
  { symptom: /in vain: an error for the request that waits/ },
  async (bench) => {
    const { server, agent, active, send } = await saturated(bench);
    const failed = once(send(), 'error');
    agent.destroy();
    await assert.rejects(active);
    await bench.soon(failed, 'an error for the request that waits');
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    assert.equal(server.connections(), 1);
  },
);

for (const abort of ['destroy', 'abort'] as const) {
  defect(
    `5. a request that waits, ended by ${abort}(), opens a connection`,
    { symptom: /in vain: its end|2 connections/ },
    async (bench) => {
      const { server, active, held, send } = await saturated(bench);
      const req = send();
      const closed = ended(req);
      req[abort]();
      await bench.soon(closed, 'its end');
      held[0]?.end();
      await active;
      await bench.soon(setImmediate(), 'a turn');
      assert.equal(server.connections(), 1, `${server.connections()} connections`);
    },
  );
}

defect(
  '8. the timeout of a request does not run while it waits',
  { symptom: /in vain: 'timeout'/ },
  async (bench) => {
    const { send, held, active } = await saturated(bench);
    const req = send();
    req.on('error', () => {});
    req.setTimeout(50);
    await bench.soon(once(req, 'timeout'), "'timeout'");
    req.destroy();
    held[0]?.end();
    await active;
  },
);

defect(
  '13. requests behind a host that stalls time out one after the other',
  { symptom: /connections were tried for 20 requests/ },
  async ({ t, agent: make }) => {
    const server = await httpsServer(t, () => {});
    let tried = 0;
    server.server.on('connection', () => tried++);
    const agent = make({ ca: server.ca, maxSockets: 2 });
    const ends = Array.from({ length: 20 }, () => {
      const req = request({ host: 'localhost', port: server.port, agent, timeout: 60 });
      req.on('timeout', () => req.destroy());
      req.end();
      return ended(req);
    });
    await Promise.all(ends);
    assert.ok(tried <= 6, `${tried} connections were tried for 20 requests`);
  },
);
