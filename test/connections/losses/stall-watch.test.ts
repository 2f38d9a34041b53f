import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from '../../support/protocol.js';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeakReport, PoolingAgent, PoolingAgentOptions } from '../../../src/index.js';
import { movedBytes } from '../../../src/connections/losses/servers-turn.js';
import { idleCount, poolingAgent } from '../../support/agent.js';
import { block } from '../../support/block.js';
import { get, httpsServer } from '../../support/server.js';
import type { TestServer } from '../../support/server.js';
import { until } from '../../support/until.js';

const LIMIT = { timeout: 120_000 };

const ERROR = {
  code: 'ETIMEDOUT',
  phase: 'exchange',
  host: 'localhost',
  message: /^Nothing was sent or received on the connection to localhost:\d+ for 80 ms$/,
};

const timers = (): number =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;

describe('socketTimeout', () => {
  it('ends a request whose server says nothing', LIMIT, async (t) => {
    const server = await httpsServer(t, () => {});
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 80 });
    const req = request({ port: server.port, agent }).end();
    const events: string[] = [];
    for (const event of ['timeout', 'error', 'close']) req.on(event, () => events.push(event));
    await assert.rejects(once(req, 'response'), ERROR);
    await until(() => agent.totalSocketCount === 0);
    assert.deepEqual(events, ['error', 'close']);
  });

  it('ends a response that has come to a halt', LIMIT, async (t) => {
    const server = await httpsServer(t, (_, res) => void res.write('some'));
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 80 });
    const req = request({ port: server.port, agent }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    req.on('error', () => {});
    await assert.rejects(async () => {
      for await (const chunk of res) assert.equal(String(chunk), 'some');
    });
    await until(() => agent.totalSocketCount === 0);
  });

  it('is no deadline: what moves may take as long as it likes', LIMIT, async (t) => {
    const server = await httpsServer(t, async (_, res) => {
      for (let i = 0; i < 20; i++) {
        res.write('.');
        await sleep(50);
      }
      res.end();
    });
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 800 });
    assert.equal((await get(server, { agent })).body, '.'.repeat(20));
  });

  it("is not the connect's, not the queue's, and not that of an idle connection", LIMIT, async (t) => {
    const held: ServerResponse[] = [];
    const server = await httpsServer(t, (_, res) => void held.push(res));
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 400, maxSockets: 1 });
    const first = get(server, { agent });
    const second = get(server, { agent });
    await assert.rejects(first, { code: 'ETIMEDOUT', phase: 'exchange' });
    await until(() => held.length === 2);
    held[1]?.end('second');
    assert.equal((await second).body, 'second');
    await sleep(900);
    assert.equal(idleCount(agent), 1);
    await until(() => timers() === 0);
  });

  it('does not fire because the event loop was blocked', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 400 });
    await get(server, { agent });
    await until(() => idleCount(agent) === 1);
    const answer = get(server, { agent, path: '/a' });
    block(800);
    assert.equal((await answer).body, '/a');
  });
});

describe('socketTimeout counts what the server holds up', () => {
  const LARGE = Buffer.alloc(4_000_000);

  async function responseOf(req: ClientRequest): Promise<IncomingMessage> {
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    return res;
  }

  async function lengthOf(res: IncomingMessage): Promise<number> {
    let length = 0;
    for await (const chunk of res) length += (chunk as Buffer).length;
    return length;
  }

  for (const size of [4, LARGE.length]) {
    it(`and not a reader that pauses, with ${size} bytes to come`, LIMIT, async (t) => {
      const server = await httpsServer(t, (_, res) => res.end(LARGE.subarray(0, size)));
      const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 80 });
      const res = await responseOf(request({ port: server.port, agent }).end());
      await sleep(400);
      assert.equal(await lengthOf(res), size);
    });
  }

  it('and not a source that pauses', LIMIT, async (t) => {
    const server = await httpsServer(t, async (req, res) => res.end(String(await lengthOf(req))));
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 80 });
    const req = request({ port: server.port, agent, method: 'POST' });
    for (let i = 0; i < 3; i++) {
      req.write('part');
      await sleep(200);
    }
    const [res] = await Promise.all([responseOf(req), req.end()]);
    assert.equal((await res.setEncoding('utf8').toArray()).join(''), '12');
  });

  it('and not a server that takes an upload slowly', LIMIT, async (t) => {
    const TIMEOUT = 800;
    let pauses = 0;
    const server = await httpsServer(t, async (req, res) => {
      let moved = 0;
      for await (const chunk of req) {
        assert.ok(chunk);
        // The system takes many chunks at a time.
        const bytes = movedBytes(upload.socket as object);
        if (bytes > moved) {
          await sleep(TIMEOUT / 4);
          pauses++;
        }
        moved = bytes;
      }
      res.end('all of it');
    });
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: TIMEOUT });
    const upload = request({ port: server.port, agent, method: 'POST' }).end(Buffer.alloc(30_000_000));
    const res = await responseOf(upload);
    assert.equal((await res.setEncoding('utf8').toArray()).join(''), 'all of it');
    assert.ok(pauses > 4, `${pauses} pauses`);
  });

  it('also while the reader pauses', LIMIT, async (t) => {
    const server = await httpsServer(t, (_, res) => void res.write('some'));
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 80 });
    const req = request({ port: server.port, agent }).end();
    req.on('error', () => {});
    const res = await responseOf(req);
    await assert.rejects(once(res, 'close'), { code: 'ECONNRESET' });
    await until(() => agent.totalSocketCount === 0);
  });

  it('again when the reader goes on', LIMIT, async (t) => {
    const server = await httpsServer(t, (_, res) => void res.write(LARGE));
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 80 });
    const req = request({ port: server.port, agent }).end();
    req.on('error', () => {});
    const res = await responseOf(req);
    await sleep(300);
    assert.equal(agent.totalSocketCount, 1);
    await assert.rejects(lengthOf(res), { code: 'ECONNRESET' });
  });

  it('an upload that it does not take', LIMIT, async (t) => {
    const server = await httpsServer(t, () => {});
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 300 });
    const req = request({ port: server.port, agent, method: 'POST' });
    req.write(Buffer.alloc(20_000_000));
    await assert.rejects(once(req, 'response'), { code: 'ETIMEDOUT', phase: 'exchange' });
  });

  it("a '100 Continue' that it does not send", LIMIT, async (t) => {
    const server = await httpsServer(t);
    server.server.on('checkContinue', () => {});
    const agent = poolingAgent(t, { ca: server.ca, socketTimeout: 80 });
    const req = request({ port: server.port, agent, method: 'POST', headers: { expect: '100-continue' } });
    req.flushHeaders();
    await assert.rejects(once(req, 'response'), ERROR);
  });
});

/** A response that is there, and nobody has read. */
async function unread(server: TestServer, agent: PoolingAgent): Promise<IncomingMessage> {
  function theCulprit() {
    return request({ port: server.port, agent, path: '/leak' });
  }
  const req = theCulprit().end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  return res;
}

async function watched(
  t: TestContext,
  options: PoolingAgentOptions = { leakDetectionThreshold: 80 },
): Promise<{ server: TestServer; agent: PoolingAgent; leaks: LeakReport[] }> {
  const server = await httpsServer(t, (req, res) =>
    res.end(req.url === '/large' ? 'x'.repeat(1e6) : 'small'),
  );
  const agent = poolingAgent(t, { ca: server.ca, ...options });
  const leaks: LeakReport[] = [];
  agent.on('leak', (report) => leaks.push(report));
  return { server, agent, leaks };
}

describe('leakDetectionThreshold', () => {
  it('reports a response that nobody reads, once, and who made the request', LIMIT, async (t) => {
    const { server, agent, leaks } = await watched(t);
    const res = await unread(server, agent);
    await until(() => leaks.length > 0);
    const [leak] = leaks;
    assert.deepEqual([leak?.host, leak?.port, leak?.req.path], ['localhost', server.port, '/leak']);
    assert.match(leak?.stack ?? '', /theCulprit/);
    await sleep(200);
    assert.equal(leaks.length, 1);
    // Nothing is done about it.
    let body = '';
    for await (const chunk of res.setEncoding('utf8')) body += String(chunk);
    assert.equal(body, 'small');
    await until(() => idleCount(agent) === 1);
  });

  it('names the caller of a request that had to wait', LIMIT, async (t) => {
    const { server, agent, leaks } = await watched(t, { leakDetectionThreshold: 80, maxSockets: 1 });
    const first = get(server, { agent });
    const second = unread(server, agent);
    await first;
    await second;
    await until(() => leaks.length > 0);
    assert.match(leaks[0]?.stack ?? '', /theCulprit/);
  });

  it('reports a response that was begun and left', LIMIT, async (t) => {
    const { server, agent, leaks } = await watched(t);
    const req = request({ port: server.port, agent, path: '/large' }).end();
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    res.once('data', () => res.pause());
    await until(() => leaks.length > 0);
    res.destroy();
  });

  it('does not report one that waits for its server', LIMIT, async (t) => {
    const held: ServerResponse[] = [];
    const server = await httpsServer(t, (_, res) => {
      res.write('some');
      held.push(res);
    });
    const agent = poolingAgent(t, { ca: server.ca, leakDetectionThreshold: 40 });
    let leaks = 0;
    agent.on('leak', () => leaks++);
    for (const read of ['flowing', 'iterated']) {
      const req = request({ port: server.port, agent }).end();
      const [res] = (await once(req, 'response')) as [IncomingMessage];
      const end = read === 'flowing' ? once(res.resume(), 'end') : res.toArray();
      await sleep(200);
      held.pop()?.end();
      await end;
    }
    assert.equal(leaks, 0);
  });

  it('is off by default, and then nobody is traced', LIMIT, async (t) => {
    const { server, agent, leaks } = await watched(t, {});
    const { captureStackTrace } = Error;
    let traces = 0;
    Error.captureStackTrace = (...args) => {
      traces++;
      captureStackTrace(...args);
    };
    t.after(() => (Error.captureStackTrace = captureStackTrace));
    const res = await unread(server, agent);
    assert.equal(traces, 0);
    await until(() => timers() === 0);
    assert.equal(leaks.length, 0);
    res.destroy();
  });
});
