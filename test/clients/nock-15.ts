/** Tests that must pass with nock 15, whether it is loaded first or later. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type nockType from 'nock-15';
import type { PoolingAgent as AgentClass, PoolingAgentOptions } from '../../src/index.js';
import type { ServerResponse } from 'node:http';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

interface RecordingServer extends TestServer {
  /** Method and path of every request that has come here. */
  readonly received: string[];
  /** Answers to /hold, which the test has to give. */
  readonly held: ServerResponse[];
}

async function recordingServer(t: TestContext): Promise<RecordingServer> {
  const received: string[] = [];
  const held: ServerResponse[] = [];
  const server = await httpsServer(t, (req, res) => {
    received.push(`${req.method} ${req.url}`);
    if (req.url === '/hold') held.push(res);
    else res.end(req.url);
  });
  return { ...server, received, held };
}

interface Reply {
  readonly status: number | undefined;
  readonly body: string;
}

export function describeNock15(when: string, PoolingAgent: typeof AgentClass, nock: typeof nockType): void {
  const make = (t: TestContext, options: PoolingAgentOptions): AgentClass => {
    const agent = new PoolingAgent(options);
    t.after(() => agent.destroy());
    return agent;
  };

  function send(url: string, agent: AgentClass, method: string, ca: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const req = request(url, { agent, method, ca }, (res) => {
        let body = '';
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => (body += chunk));
        res.on('end', () => resolve({ status: res.statusCode, body }));
      });
      req.on('error', reject);
      req.end(method === 'POST' ? 'text' : undefined);
    });
  }

  // Without this, nock itself does not work (Node 20).
  const skip = !('withResolvers' in Promise);
  describe(`nock 15, ${when}`, { skip }, () => {
    beforeEach(() => {
      nock.restore();
    });
    afterEach(() => {
      nock.cleanAll();
      nock.enableNetConnect();
      nock.restore();
    });

    it(
      'a mocked POST never reaches the real server, where an idle real connection is there',
      LIMIT,
      async (t) => {
        const server = await recordingServer(t);
        const { ca, received } = server;
        const agent = make(t, { ca });
        assert.equal((await send(`${server.url}/real`, agent, 'GET', ca)).body, '/real');
        await until(() => Object.keys(agent.freeSockets).length === 1);

        nock.activate();
        nock(server.url).post('/mocked').times(3).reply(201, 'mocked');
        for (let i = 0; i < 3; i++) {
          assert.deepEqual(await send(`${server.url}/mocked`, agent, 'POST', ca), {
            status: 201,
            body: 'mocked',
          });
        }
        assert.deepEqual(received, ['GET /real']);
      },
    );

    it('nor where a real connection comes free while it waits', LIMIT, async (t) => {
      const server = await recordingServer(t);
      const { ca, held, received } = server;
      for (const binding of ['eager', 'late'] as const) {
        const agent = make(t, { ca, maxSockets: 1, binding });
        const holding = send(`${server.url}/hold`, agent, 'GET', ca);
        await until(() => held.length === 1);
        const before = send(`${server.url}/before`, agent, 'GET', ca);

        nock.activate();
        nock(server.url).post('/mocked').reply(201, 'mocked');
        const mocked = send(`${server.url}/mocked`, agent, 'POST', ca);
        held.pop()?.end();
        await holding;
        // It was begun before, and is left alone.
        assert.equal((await before).body, '/before');
        assert.deepEqual(await mocked, { status: 201, body: 'mocked' });
        nock.restore();
        assert.ok(!received.some((line) => line.startsWith('POST')), received.join());
      }
    });

    it('lets the rest pass, within the limits, and gives the pool back afterwards', LIMIT, async (t) => {
      const server = await recordingServer(t);
      const { ca } = server;
      const agent = make(t, { ca, maxSockets: 2, maxTotalSockets: 2 });
      nock.activate();
      nock(server.url, { allowUnmocked: true }).get('/mocked').reply(200, 'mocked');
      const paths = ['/one', '/mocked', '/two', '/three', '/four'];
      const replies = await Promise.all(paths.map((path) => send(server.url + path, agent, 'GET', ca)));
      assert.deepEqual(
        replies.map(({ body }) => body),
        ['/one', 'mocked', '/two', '/three', '/four'],
      );
      assert.ok(agent.totalSocketCount <= 2);
      nock.restore();
      agent.destroy();
      await until(() => agent.totalSocketCount === 0);
      for (const path of ['/five', '/six']) {
        assert.equal((await send(server.url + path, agent, 'GET', ca)).body, path);
      }
      assert.equal(agent.totalSocketCount, 1);
    });
  });
}
