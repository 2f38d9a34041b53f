/**
 * Bytes that nobody asked for answer nobody: whatever a server sends, and whenever, a request gets the response that
 * was sent for it, or an error. Every response here carries the path that it answers.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { PoolingAgent } from '../../src/index.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { block } from '../support/block.js';
import { certificate } from '../support/certificate.js';
import { proxyServer } from '../support/proxy-server.js';
import { get, rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { onRequest, response } from './raw-requests.js';

const LIMIT = { timeout: 120_000 };

const STRAY = response('stray');

const SURPLUS: Record<string, (socket: TLSSocket, path: string) => void> = {
  'in the same record': (socket, path) => socket.write(response(path) + STRAY),
  'in the next record': (socket, path) => {
    socket.write(response(path));
    socket.write(STRAY);
  },
  'in the next turn': (socket, path) => {
    socket.write(response(path));
    setImmediate(() => socket.write(STRAY));
  },
  'of one byte': (socket, path) => {
    socket.write(response(path));
    socket.write('\n');
  },
  'before the response': (socket, path) => {
    socket.write(STRAY);
    socket.write(response(path));
  },
  'that is no HTTP': (socket, path) => {
    socket.write(response(path));
    socket.write('\0\0\0\0');
  },
};

/** An agent whose connections lead to the server directly, or through a proxy to which it speaks TLS. */
async function agentFor(t: TestContext, way: 'directly' | 'TLS in TLS', ca: string): Promise<PoolingAgent> {
  if (way === 'directly') return poolingAgent(t, { ca, maxSockets: 2 });
  const { url } = await proxyServer(t, { protocol: 'https' });
  return poolingAgent(t, { ca, maxSockets: 2, proxy: { url, tls: { ca: (await certificate()).cert } } });
}

for (const way of ['directly', 'TLS in TLS'] as const) {
  for (const [how, surplus] of Object.entries(SURPLUS)) {
    for (const busy of way === 'directly' ? [0, 8] : [3]) {
      const title = `surplus bytes ${how}${busy ? ', with a busy loop' : ''}, ${way}: no response reaches another request`;
      test(title, LIMIT, async (t) => {
        let count = 0;
        const server = await rawServer(
          t,
          onRequest((socket, path) => {
            if (++count % 3 === 0) surplus(socket, path);
            else socket.write(response(path));
          }),
        );
        const agent = await agentFor(t, way, server.ca);
        const bodies = new Map<string, string>();
        const one = async (path: string): Promise<void> => {
          const answer = await get(server, { agent, path }).catch((error: Error) => ({
            body: error.message,
          }));
          bodies.set(path, answer.body);
          if (busy) block(busy);
        };
        // Some from the queue, some one after the other.
        await Promise.all(Array.from({ length: 20 }, (_, i) => one(`/queued/${i}`)));
        for (let i = 0; i < 20; i++) await one(`/in-turn/${i}`);
        let right = 0;
        for (const [path, body] of bodies) {
          // The answer to a request, as far as HTTP can tell, is the first one that follows it.
          const own = body === path || (how === 'before the response' && body === 'stray');
          if (own) right++;
          else
            assert.match(body, /Parse Error|hang up|ECONNRESET|closed/, `${path} was answered with ${body}`);
        }
        assert.ok(right >= 20, `${right} of ${bodies.size} were answered`);
      });
    }
  }
}

for (const [what, stray] of [
  ['another response', STRAY],
  ['no TLS', '\0\u0001\u0002\u0003\u0004\u0005\u0006'],
  ['a TLS alert', '\u0015\u0003\u0003\0\u0002\u0001\0'],
  ['a TLS record of data', `\u0017\u0003\u0003\0\u0020${'x'.repeat(32)}`],
] as const) {
  for (const isIdle of [true, false]) {
    test(`a proxy writes into a tunnel that is ${isIdle ? 'idle' : 'in use'}: ${what}`, LIMIT, async (t) => {
      const opened: Socket[] = [];
      const proxy = await proxyServer(t, {
        protocol: 'https',
        answer(asked) {
          opened.push(asked.socket);
          asked.open();
        },
      });
      const meddle = (): void => void opened.at(-1)?.write(stray, 'latin1');
      const server = await rawServer(
        t,
        onRequest((socket, path) => {
          // In the turn in which the request is read, before the answer.
          if (path === '/2' && !isIdle && opened.length === 1) meddle();
          else socket.write(response(path));
        }),
      );
      const url = { url: proxy.url, tls: { ca: server.ca } };
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, proxy: url });
      await get(server, { agent, path: '/1' });
      await until(() => idleCount(agent) === 1);
      if (isIdle) meddle();
      const second = get(server, { agent, path: '/2' }).then(
        ({ body }) => body,
        (error: NodeJS.ErrnoException) => String(error.code),
      );
      assert.match(await second, /^(?:\/2|ERR_SSL_\w+|EPROTO|ECONNRESET)$/);
      assert.equal((await get(server, { agent, path: '/3' })).body, '/3');
      assert.equal(opened.length, 2);
    });
  }
}

test('bytes on an idle connection close it', LIMIT, async (t) => {
  let idle: TLSSocket | undefined;
  const server = await rawServer(
    t,
    onRequest((socket, path) => {
      idle = socket;
      socket.write(response(path));
    }),
  );
  const agent = poolingAgent(t, { ca: server.ca });
  const { req } = await get(server, { agent, path: '/1' });
  await until(() => idleCount(agent) === 1);
  idle?.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
  await until(() => agent.totalSocketCount === 0);
  assert.equal(req.socket?.destroyed, true);
  assert.equal((await get(server, { agent, path: '/2' })).body, '/2');
});

test('session tickets that come late are no stray bytes', LIMIT, async (t) => {
  const server = await rawServer(
    t,
    onRequest((socket, path) => socket.write(response(path))),
    { minVersion: 'TLSv1.3' },
  );
  const agent = poolingAgent(t, { ca: server.ca });
  for (let i = 0; i < 5; i++) {
    await get(server, { agent, path: '/' });
    await until(() => idleCount(agent) === 1);
  }
  assert.equal(server.connections(), 1);
});

test('a response that comes before its request is complete ends the connection with it', LIMIT, async (t) => {
  const server = await rawServer(
    t,
    onRequest((socket, path) => socket.write(response(path))),
  );
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const req = request({ host: 'localhost', port: server.port, agent, method: 'POST', path: '/early' });
  req.on('error', () => {});
  req.write('half of ');
  const [res] = (await once(req, 'response')) as [NodeJS.ReadableStream];
  res.resume();
  const next = get(server, { agent, path: '/next' });
  await setTimeout(20);
  req.end('a body');
  assert.equal((await next).body, '/next');
});
