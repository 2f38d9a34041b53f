/** needle, with and without TLS options of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import needle from 'needle';
import type { Options, Response } from 'needle';
import { poolingAgent } from '../support/agent.js';
import { TLS_ONLY } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';
import type { Call, Client, Reply } from './client.js';
import { clientSuite } from './suite.js';
import { LIMIT, quiet } from './support.js';

function options({ agent, signal, timeout }: Call): Options {
  return {
    agent,
    signal,
    follow_max: 5,
    compressed: true,
    ...(timeout && { open_timeout: timeout, response_timeout: timeout }),
  };
}

async function reply(response: Promise<Response>): Promise<Reply> {
  const { statusCode, body } = await response;
  return { status: statusCode, body: String(body) };
}

const client: Client = {
  get: (url, call) => reply(needle('get', url, null, options(call))),
  post: (url, body, call) => reply(needle('post', url, body, options(call))),
  async open(url, call) {
    const body = needle.get(url, options(call));
    await once(body, 'response');
    return body;
  },
  traits: {
    aborted: { name: 'AbortError', code: 'ABORT_ERR' },
    timedOut: { code: 'ECONNRESET' },
    timedOutInQueue: { code: 'ECONNRESET' },
    followsRedirects: true,
    finishesRedirects: false,
    decompresses: true,
    reportsTruncated: [],
    destroyEndsExchange: false,
  },
};

clientSuite('needle', client);

// It writes a request's TLS options into `agent.options`, where they stay.
describe('needle, TLS options per request', TLS_ONLY, () => {
  it('are trusted, and the connection is used again', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t);
    for (const path of ['/one', '/two', '/three']) {
      const { body } = await needle('get', server.url + path, null, { agent, ca: server.ca });
      assert.equal(String(body), path);
      await quiet(agent);
    }
    assert.equal(agent.options.ca, server.ca);
    assert.equal(server.connections(), 1);
  });

  it('do not let a strict request use a connection that nobody verified', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t);
    await needle('get', server.url, null, { agent, rejectUnauthorized: false });
    await quiet(agent);
    await assert.rejects(needle('get', server.url, null, { agent, rejectUnauthorized: true }), {
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    });
    assert.equal(server.requests(), 1);
  });
});
