/** The page is told of real agents: of everything behind their hosts, and of nothing that is secret. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { inspector } from '../../src/inspect/index.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { openStream } from './stream.js';

test('connections and waiting requests of a host are told, with the reason, and without secrets', async (t) => {
  const held: (() => void)[] = [];
  const server = await httpsServer(t, (req, res) => {
    if (req.url === '/held?token=hush') held.push(() => res.end());
    else res.end('ok');
  });
  const { key, cert } = await certificate();
  const agent = poolingAgent(t, {
    name: 'api',
    keepAlive: true,
    maxSockets: 2,
    key,
    cert,
    passphrase: 'hush-hush',
  });
  await get(server, { agent });
  await until(() => agent.stats({ hosts: false }).idle === 1);
  const inspect = inspector(agent, { interval: 100 });
  t.after(() => inspect.close());
  const page = inspect.listen(0).ref();
  await once(page, 'listening');
  const host = `localhost:${server.port}`;
  const url = `http://127.0.0.1:${(page.address() as AddressInfo).port}/?events&agent=1&host=${host}`;

  const idle = (await (await openStream(t, url)).next('frame')).data;
  assert.deepEqual([idle.details.agent, idle.details.host], [1, host]);
  const [{ age, idleFor, number, ...rest }] = idle.details.connections;
  assert.ok(age > 0 && idleFor >= 0 && number > 0);
  assert.deepEqual(rest, {
    state: 'idle',
    address: `127.0.0.1:${server.port}`,
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    requests: 1,
    learnedIdle: -1,
  });

  const requests = Array.from({ length: 4 }, () => {
    const headers = { authorization: 'Bearer hush' };
    const req = request({
      host: 'localhost',
      port: server.port,
      ca: server.ca,
      agent,
      path: '/held?token=hush',
      headers,
    });
    return req
      .on('response', (res) => res.resume())
      .on('error', () => {})
      .end();
  });
  await until(() => held.length === 2);
  const { data } = await (await openStream(t, url)).next('frame');
  assert.deepEqual(
    data.details.connections.map(({ state }: { state: string }) => state),
    ['active', 'active'],
  );
  assert.deepEqual(
    data.details.waiting.map(({ place, reason, priority }: Record<string, unknown>) => [
      place,
      reason,
      priority,
    ]),
    [
      [1, 'maxSockets', 3],
      [2, 'maxSockets', 3],
    ],
  );
  // The limit of the host is in its row: see HOST_FIELDS.
  assert.equal(data.agents[0].hosts[0][6], 2);
  assert.doesNotMatch(JSON.stringify([idle, data]), /hush|Bearer|BEGIN|held/);
  for (const req of requests) req.destroy();
  const nothing = await (await openStream(t, `${url}0`)).next('frame');
  assert.deepEqual(nothing.data.details.connections, []);
});
