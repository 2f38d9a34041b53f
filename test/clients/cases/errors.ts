/** Errors look as over a core agent: programs decide by their codes whether to try again. */
import assert from 'node:assert/strict';
import type { Agent } from 'node:https';
import { it } from 'node:test';
import { poolingAgent } from '../../support/agent.js';
import { PROTOCOL, TLS_ONLY } from '../../support/protocol.js';
import { httpsServer } from '../../support/server.js';
import type { Client, Reply } from '../client.js';
import { failsAsOverCore, failureOf, LIMIT, quiet } from '../support.js';
import { until } from '../../support/until.js';

export function errorCases(client: Client): void {
  it('ECONNREFUSED, for all waiting requests', LIMIT, async (t) => {
    const server = await httpsServer(t);
    await server.close();
    const options = { ca: server.ca, maxSockets: 1 };
    const failure = await failsAsOverCore(t, options, (agent) => client.get(server.url, { agent }));
    assert.equal(failure.code, 'ECONNREFUSED');

    const agent = poolingAgent(t, options);
    const requests = Array.from({ length: 3 }, () => failureOf(client.get(server.url, { agent })));
    assert.deepEqual(await Promise.all(requests), [failure, failure, failure]);
    await quiet(agent);
    assert.equal(agent.totalSocketCount, 0);
  });

  it('ENOTFOUND', LIMIT, async (t) => {
    const error = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
    const lookup = (_host: string, _options: object, callback: (error: Error) => void): void => {
      process.nextTick(callback, error);
    };
    const failure = await failsAsOverCore(t, { lookup } as object, (agent) =>
      client.get(`${PROTOCOL}//nowhere.invalid/`, { agent }),
    );
    assert.equal(failure.code, 'ENOTFOUND');
  });

  it('ECONNRESET before the answer', LIMIT, async (t) => {
    const server = await httpsServer(t, (req, res) => {
      if (req.url === '/reset') req.socket.destroy();
      else res.end(req.url);
    });
    const failure = await failsAsOverCore(t, { ca: server.ca }, (agent) =>
      client.get(`${server.url}/reset`, { agent }),
    );
    assert.equal(failure.code, 'ECONNRESET');
  });

  it('ECONNRESET before the answer, on a connection that was used before', LIMIT, async (t) => {
    const server = await httpsServer(t, (req, res) => {
      if (req.url === '/reset') req.socket.destroy();
      else res.end(req.url);
    });
    const used: number[] = [];
    // Node's agent does not know of it.
    const options = { ca: server.ca, maxSockets: 1, replay: false };
    const failure = await failsAsOverCore(t, options, async (agent: Agent) => {
      const before = server.connections();
      await client.get(`${server.url}/first`, { agent });
      const reset = await client.get(`${server.url}/reset`, { agent }).catch((error: unknown) => ({ error }));
      used.push(server.connections() - before);
      assert.deepEqual(await client.get(`${server.url}/next`, { agent }), { status: 200, body: '/next' });
      if ('error' in reset) throw reset.error;
    });
    assert.equal(failure.code, 'ECONNRESET');
    assert.deepEqual(used, [1, 1]);
  });

  for (const framing of ['content-length', 'chunked'] as const) {
    it(`a connection that dies in the middle of the body (${framing})`, LIMIT, async (t) => {
      const server = await httpsServer(t, (req, res) => {
        if (req.url !== '/half') {
          res.end(req.url);
          return;
        }
        if (framing === 'content-length') res.setHeader('content-length', 10);
        res.write('half.', () => setTimeout(() => req.socket.destroy(), 10));
      });
      const options = { ca: server.ca, maxSockets: 1 };
      const halfOver = (agent: Agent): Promise<Reply> => client.get(`${server.url}/half`, { agent });
      const agent = poolingAgent(t, options);
      if (client.traits.reportsTruncated.includes(framing)) {
        await failsAsOverCore(t, options, halfOver);
        await assert.rejects(halfOver(agent));
      } else {
        void halfOver(agent);
        await until(() => server.requests() === 1);
      }
      assert.deepEqual(await client.get(`${server.url}/next`, { agent }), { status: 200, body: '/next' });
      await quiet(agent);
    });
  }

  it('a response that is not HTTP', LIMIT, async (t) => {
    const server = await httpsServer(t, (req) => req.socket.end('no HTTP at all\r\n\r\n'));
    const failure = await failsAsOverCore(t, { ca: server.ca }, (agent) => client.get(server.url, { agent }));
    assert.match(failure.code ?? '', /^HPE_/);
  });

  it('a certificate that is not trusted', { ...LIMIT, ...TLS_ONLY }, async (t) => {
    const server = await httpsServer(t);
    const failure = await failsAsOverCore(t, {}, (agent) => client.get(server.url, { agent }));
    assert.equal(failure.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.equal(server.requests(), 0);
  });

  it('a certificate for another name', { ...LIMIT, ...TLS_ONLY }, async (t) => {
    const server = await httpsServer(t);
    const options = { ca: server.ca, servername: 'another.example' };
    const failure = await failsAsOverCore(t, options, (agent) => client.get(server.url, { agent }));
    assert.equal(failure.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
    assert.equal(server.requests(), 0);
  });

  it('agent.destroy() in the middle of a request', LIMIT, async (t) => {
    const server = await httpsServer(t, () => current?.destroy());
    let current: Agent | undefined;
    await failsAsOverCore(t, { ca: server.ca }, (agent) => {
      current = agent;
      return client.get(server.url, { agent });
    });
    assert.equal(server.requests(), 2);
  });
}
