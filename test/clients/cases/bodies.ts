/** Bodies arrive whole, in both directions, on connections that serve many. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { RequestListener } from 'node:http';
import { poolingAgent } from '../../support/agent.js';
import { httpsServer } from '../../support/server.js';
import type { Client } from '../client.js';
import { LIMIT, quiet } from '../support.js';

const echo: RequestListener = (req, res) => {
  res.setHeader('content-type', 'text/plain');
  req.pipe(res);
};

/** About 200 kB that nobody can mistake for those of another `seed`. */
function chunksOf(seed: number): string[] {
  return Array.from({ length: 50 }, (_, i) => `${seed}:${i};`.padEnd(4_000, '.'));
}

export function bodyCases(client: Client): void {
  it('sends a string', LIMIT, async (t) => {
    const server = await httpsServer(t, echo);
    const agent = poolingAgent(t, { ca: server.ca });
    for (const body of ['one', 'two', 'three']) {
      assert.deepEqual(await client.post(server.url, body, { agent }), { status: 200, body });
    }
    assert.equal(server.connections(), 1);
  });

  it('sends streams, one after the other', LIMIT, async (t) => {
    const server = await httpsServer(t, echo);
    const agent = poolingAgent(t, { ca: server.ca });
    for (const seed of [1, 2, 3]) {
      const chunks = chunksOf(seed);
      const { status, body } = await client.post(server.url, Readable.from(chunks), { agent });
      assert.equal(status, 200);
      assert.ok(body === chunks.join(''), 'another body came back');
      await quiet(agent);
    }
    assert.equal(server.connections(), 1);
  });

  it('sends streams that wait for a connection', LIMIT, async (t) => {
    const server = await httpsServer(t, echo);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2 });
    const uploads = Array.from({ length: 8 }, (_, seed) => chunksOf(seed));
    const replies = await Promise.all(
      uploads.map((chunks) => client.post(server.url, Readable.from(chunks), { agent })),
    );
    for (const [i, { body }] of replies.entries()) {
      assert.ok(body === uploads[i]?.join(''), `another body came back to upload ${i}`);
    }
    await quiet(agent);
    assert.equal(server.peak(), 2);
  });

  // Some clients look at the socket when a chunked response closes: it may be another request's by then.
  it('receives chunked bodies right behind one another', LIMIT, async (t) => {
    const server = await httpsServer(t, (req, res) => {
      res.write(req.url);
      res.end('!');
    });
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const paths = Array.from({ length: 20 }, (_, i) => `/${i}`);
    const replies = await Promise.all(paths.map((path) => client.get(server.url + path, { agent })));
    assert.deepEqual(
      replies,
      paths.map((path) => ({ status: 200, body: `${path}!` })),
    );
    assert.equal(server.connections(), 1);
  });

  const skip = client.traits.decompresses ? false : 'does not decompress';
  it('unpacks gzip', { ...LIMIT, skip }, async (t) => {
    const packed = gzipSync('unpacked '.repeat(10_000));
    const server = await httpsServer(t, (_req, res) => {
      res.writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' });
      res.end(packed);
    });
    const agent = poolingAgent(t, { ca: server.ca });
    for (let i = 0; i < 5; i++) {
      const { body } = await client.get(server.url, { agent });
      assert.ok(body === 'unpacked '.repeat(10_000), 'another body came back');
      await quiet(agent);
    }
    assert.equal(server.connections(), 1);
  });
}
