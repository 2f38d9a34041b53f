/** Bodies that are read slowly, late, or not to their end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { it } from 'node:test';
import { activeCount, poolingAgent, waitingCount } from '../../support/agent.js';
import { httpsServer } from '../../support/server.js';
import type { TestServer } from '../../support/server.js';
import type { TestContext } from 'node:test';
import type { Client } from '../client.js';
import { LIMIT, quiet } from '../support.js';
import { until } from '../../support/until.js';

/** More than all buffers on the way can hold. */
const BIG = Buffer.alloc(12_000_000, 'big');

function bigServer(t: TestContext): Promise<TestServer> {
  return httpsServer(t, (req, res) => res.end(req.url === '/big' ? BIG : req.url));
}

export function streamCases(client: Client): void {
  it('is piped to its end, and the connection used again', LIMIT, async (t) => {
    const server = await bigServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    for (const path of ['/big', '/again']) {
      let size = 0;
      const sink = new Writable({
        write(chunk: Buffer, _encoding, callback) {
          size += chunk.length;
          setImmediate(callback);
        },
      });
      const body = await client.open(`${server.url}${path}`, { agent });
      await pipeline(body, sink);
      assert.equal(size, path === '/big' ? BIG.length : path.length);
      await quiet(agent);
    }
    assert.equal(server.connections(), 1);
  });

  it('holds its connection while nobody reads it, and no other', LIMIT, async (t) => {
    const server = await bigServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2 });
    const body = await client.open(`${server.url}/big`, { agent });
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await client.get(`${server.url}/${i}`, { agent }), { status: 200, body: `/${i}` });
    }
    await until(() => activeCount(agent) === 1);
    assert.equal(server.connections(), 2);
    body.resume();
    await once(body, 'end');
    await quiet(agent);
  });

  const skip = client.traits.destroyEndsExchange ? false : 'destroying the body leaves the exchange alone';
  it('is destroyed halfway, and the agent goes on', { ...LIMIT, skip }, async (t) => {
    const server = await bigServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const body = await client.open(`${server.url}/big`, { agent });
    body.on('error', () => {});
    await once(body, 'data');
    const waiting = client.get(`${server.url}/waited`, { agent });
    await until(() => waitingCount(agent) === 1);
    body.destroy();
    assert.deepEqual(await waiting, { status: 200, body: '/waited' });
    assert.deepEqual(await client.get(`${server.url}/next`, { agent }), { status: 200, body: '/next' });
    await quiet(agent);
    assert.equal(server.connections(), 2);
    assert.equal(agent.totalSocketCount, 1);
  });
}
