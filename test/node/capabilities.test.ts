/**
 * Assumptions about Node behind its public API, on a Node that differs: each assumption is switched off, and requests are answered
 * all the same, each with its own answer. Only what rests on the assumption is left out.
 */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import type { RequestOptions } from 'node:https';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import type { Capability } from '../../src/node/capability.js';
import { CAPABILITIES } from '../../src/node/capabilities.js';
import { detaching, resending } from '../../src/node/client-request.js';
import { headMark, parserMark } from '../../src/node/exchange.js';
import { waitingTimeout } from '../../src/node/request-timeout.js';
import { byteCounter, writableState } from '../../src/node/socket.js';
import { writeNotes } from '../../src/node/written-output.js';
import { fickleServer } from '../connections/fickle-server.js';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer, rawServer } from '../support/server.js';

const LIMIT = { timeout: 120_000 };

function without(t: TestContext, ...capabilities: readonly Capability[]): void {
  for (const capability of capabilities) t.after(capability.switchOff());
}

/** The body of the answer. */
async function answerTo(
  server: { port: number; ca: string },
  path: string,
  options: RequestOptions,
): Promise<string> {
  return (await get(server, { path, ...options })).body;
}

function post(url: string, options: object, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const req = request(url, { method: 'POST', ...options }, (res) => {
      res.setEncoding('utf8');
      let text = '';
      res.on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text));
    });
    req.on('error', reject).end(body);
  });
}

test('this Node is as we know it', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca });
  for (const path of ['/1', '/2', '/3']) await answerTo(server, path, { agent });
  const otherwise = CAPABILITIES.filter((capability) => !capability.holds);
  assert.deepEqual(
    otherwise.map(({ name }) => name),
    [],
  );
  assert.ok(parserMark.isKnown, 'found out by the first response');
});

suite('requests are answered on a Node where it is not so that', () => {
  const all = { name: 'any of it holds', capabilities: CAPABILITIES };
  const each = CAPABILITIES.map((capability) => ({ name: capability.name, capabilities: [capability] }));
  for (const { name, capabilities } of [...each, all]) {
    test(name, LIMIT, async (t) => {
      without(t, ...capabilities);
      const server = await httpsServer(t, (req, res) => {
        let body = '';
        req.on('data', (chunk) => (body += String(chunk))).on('end', () => res.end(`${req.url} ${body}`));
      });
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 2 });
      const answers = await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const text = await (i % 2
            ? post(`${server.url}/${i}`, { agent, timeout: 20_000 }, `body ${i}`)
            : answerTo(server, `/${i}`, { agent }));
          return text.trim();
        }),
      );
      assert.deepEqual(
        answers,
        answers.map((_, i) => (i % 2 ? `/${i} body ${i}` : `/${i}`)),
      );
      assert.equal(server.requests(), 12);
      assert.ok(server.peak() <= 2, 'and the limits hold');
    });
  }
});

for (const capability of [detaching, resending]) {
  test(
    `a lost request ends with the error, once, where it is not so that ${capability.name}`,
    LIMIT,
    async (t) => {
      without(t, capability);
      const server = await fickleServer(t, (received) => {
        if (received.path === '/lost') received.connection.reset();
        else received.connection.answer(received);
      });
      const agent = poolingAgent(t, { ca: server.ca, validateAfterIdle: Infinity });
      await answerTo(server, `/first`, { agent });
      await assert.rejects(answerTo(server, `/lost`, { agent }), { code: 'ECONNRESET' });
      assert.equal(await answerTo(server, `/next`, { agent }), '/next');
      assert.deepEqual(
        server.received.map(({ path }) => path),
        ['/first', '/lost', '/next'],
      );
    },
  );
}

test(
  'where what was written is not known, a refused session costs its request, and no other',
  LIMIT,
  async (t) => {
    without(t, writeNotes);
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    assert.equal(await answerTo(server, `/a`, { agent }), '/a');
    agent.updateTls({});
    assert.equal(await answerTo(server, `/b`, { agent }), '/b');
  },
);

suite('bytes that nobody asked for answer nobody', () => {
  /** Answers each request, and sends a response more. */
  const surplus = (socket: TLSSocket): void => {
    socket.on('data', (data) => {
      const path = /^\S+ (\S+)/.exec(data.toString('latin1'))?.[1] ?? '';
      socket.write(response(path));
      setImmediate(() => socket.write(response('stray')));
    });
  };
  for (const [name, capabilities] of Object.entries({
    'the parser does not show': [parserMark],
    'the socket does not count': [byteCounter],
    'the head does not show': [headMark],
    'nothing tells what was sent': [headMark, byteCounter],
    'nothing holds': CAPABILITIES,
  })) {
    test(`where ${name}`, LIMIT, async (t) => {
      without(t, ...capabilities);
      const server = await rawServer(t, surplus);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      for (let i = 0; i < 20; i++) {
        const answer = await answerTo(server, `/${i}`, { agent }).catch((error: unknown) => error);
        if (!(answer instanceof Error)) assert.equal(answer, `/${i}`);
      }
    });
  }

  test('where nothing tells what was sent, a connection serves one request', LIMIT, async (t) => {
    without(t, headMark, byteCounter);
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    for (const path of ['/1', '/2', '/3']) assert.equal(await answerTo(server, path, { agent }), path);
    assert.equal(server.connections(), 3);
  });

  test('one of the two is enough to keep connections', LIMIT, async (t) => {
    without(t, byteCounter);
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    for (const path of ['/1', '/2', '/3']) assert.equal(await answerTo(server, path, { agent }), path);
    assert.equal(server.connections(), 1);
  });
});

test('where a timeout does not show, a request that waits has that of the agent', LIMIT, async (t) => {
  without(t, waitingTimeout);
  const server = await httpsServer(t, (req, res) => void (req.url === '/held' || res.end()));
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const held = request(`${server.url}/held`, { agent }).on('error', () => {});
  held.end();
  const waits = request(`${server.url}/waits`, { agent, timeout: 50 });
  await new Promise<void>((resolve, reject) => {
    waits.on('timeout', resolve).on('error', reject).end();
  });
  waits.on('error', () => {}).destroy();
  held.destroy();
});

test(
  'where it cannot be changed, a socket keeps its high-water mark, and serves the request',
  LIMIT,
  async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const marks: (number | undefined)[] = [];
    const ask = async (path: string, highWaterMark: number): Promise<void> => {
      agent.once('free', (socket: TLSSocket) => marks.push(socket.writableHighWaterMark));
      assert.equal(await answerTo(server, path, { agent, highWaterMark } as RequestOptions), path);
    };
    await ask('/opens', 1000);
    await ask('/changes', 2000);
    without(t, writableState);
    await ask('/keeps', 3000);
    assert.deepEqual(marks, [marks[0], 2000, 2000]);
    assert.equal(server.connections(), 1);
  },
);

function response(body: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
