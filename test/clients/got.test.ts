/** got, over HTTP/1.1, and where it first asks for HTTP/2. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Agent as HttpAgent } from 'node:http';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import got from 'got';
import type { OptionsInit } from 'got';
import type { PoolingAgent } from '../../src/index.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { isPlain, TLS_ONLY } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import type { Call, Client } from './client.js';
import { clientSuite } from './suite.js';
import { LIMIT, quiet } from './support.js';
import { threadedServer } from '../support/threaded-server.js';
import { authority } from '../tls/authority.js';
import type { Identity } from '../tls/authority.js';

type Init = Omit<OptionsInit, 'isStream' | 'resolveBodyOnly' | 'responseType'>;

function options({ agent, signal, timeout }: Call): Init {
  return {
    agent: isPlain ? { http: agent as unknown as HttpAgent } : { https: agent },
    ...(signal && { signal }),
    ...(timeout && { timeout: { request: timeout } }),
    retry: { limit: 0 },
    throwHttpErrors: false,
  };
}

const gotClient: Client = {
  async get(url, call) {
    const { statusCode, body } = await got(url, options(call));
    return { status: statusCode, body };
  },
  async post(url, data, call) {
    const { statusCode, body } = await got.post(url, { ...options(call), body: data });
    return { status: statusCode, body };
  },
  async open(url, call) {
    const stream = got.stream(url, options(call));
    await once(stream, 'response');
    return stream;
  },
  traits: {
    aborted: { name: 'AbortError', code: 'ERR_ABORTED' },
    timedOut: { name: 'TimeoutError', code: 'ETIMEDOUT' },
    timedOutInQueue: { name: 'TimeoutError', code: 'ETIMEDOUT' },
    followsRedirects: true,
    finishesRedirects: true,
    decompresses: true,
    reportsTruncated: ['content-length', 'chunked'],
    destroyEndsExchange: true,
  },
};

clientSuite('got', gotClient);

// It destroys a request when it has read the response. If that had not been 'finish'ed, the connection would go, too.
describe('got, with a server that answers at once', () => {
  it('keeps its connection', LIMIT, async (t) => {
    const server = await threadedServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const replies = Array.from({ length: 100 }, () => gotClient.get(server.url, { agent }));
    for (const reply of replies) assert.deepEqual(await reply, { status: 200, body: '1' });
    await quiet(agent);
  });
});

// http2-wrapper asks each new server by a connection of its own which protocols it speaks. If that is HTTP/1.1, it
// gives the connection to the agent, by an event 'free' for a socket that the agent does not know.
describe('got, http2: true', TLS_ONLY, () => {
  const many = Array.from({ length: 10 }, (_, i) => `/${i}`);

  async function getAll(server: TestServer, agent: PoolingAgent): Promise<string[]> {
    const init = { ...options({ agent }), http2: true, https: { certificateAuthority: server.ca } };
    // One asks, the others wait for the answer; then each is a request over HTTP/1.1.
    return Promise.all(many.map((path) => got(server.url + path, init).text()));
  }

  it('falls back to HTTP/1.1, and the connection that found out is used', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { maxSockets: 1 });
    const createSocket = t.mock.method(agent, 'createSocket');
    assert.deepEqual(await getAll(server, agent), many);
    await quiet(agent);
    assert.deepEqual(await getAll(server, agent), many);
    await quiet(agent);
    assert.equal(server.requests(), 20);
    assert.equal(server.connections(), 1);
    assert.equal(createSocket.mock.callCount(), 0);
    assert.equal(idleCount(agent), 1);
  });

  // The connection that asks has the request's options only; the agent's certificate is not among them.
  for (const whose of ['of the agent', 'of agent and request']) {
    it(`sends the client certificate ${whose}`, LIMIT, async (t) => {
      const ca = await authority('an authority');
      const [own, alice] = (await Promise.all([ca.issue('localhost'), ca.issue('alice')])) as [
        Identity,
        Identity,
      ];
      const mutual = { ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: true };
      for (let i = 0; i < 10; i++) {
        const server = await httpsServer(
          t,
          (req, res) => res.end((req.socket as TLSSocket).getPeerCertificate().subject.CN),
          mutual,
        );
        const agent = poolingAgent(t, { ca: ca.cert, ...alice });
        const https = {
          certificateAuthority: ca.cert,
          ...(whose !== 'of the agent' && { certificate: alice.cert, key: alice.key }),
        };
        const init = { ...options({ agent }), http2: true, https };
        const bodies = await Promise.all(['/1', '/2'].map((path) => got(server.url + path, init).text()));
        assert.deepEqual(bodies, ['alice', 'alice']);
      }
    });
  }
});
