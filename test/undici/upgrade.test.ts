/** Connections that leave HTTP: undici's WebSocket and EventSource, `upgrade`, `connect`, and servers that change the protocol unasked. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import { dispatcher } from '../../src/undici/index.js';
import { poolingAgent } from '../support/agent.js';
import { rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { KINDS, LIMIT, recorder, run, setUp, undicis } from './support.js';

for (const [name, undici] of undicis) {
  describe(name, LIMIT, () => {
    it('speaks WebSocket', async (t) => {
      const { server, agent, dispatcher: over } = await setUp(t);
      const sockets = new WebSocketServer({ noServer: true, verifyClient: (_info, done) => done(true) });
      server.server.on('upgrade', (req, socket: Duplex, head: Buffer) =>
        sockets.handleUpgrade(req, socket, head, (ws) =>
          ws.on('message', (data: Buffer) => ws.send(`${String(data)}!`)),
        ),
      );
      const client = new undici.WebSocket(`wss://localhost:${server.port}/`, { dispatcher: over as never });
      const heard = new Promise<string>((resolve, reject) => {
        client.addEventListener('open', () => client.send('hello'));
        client.addEventListener('message', ({ data }) => resolve(String(data)));
        client.addEventListener('error', reject);
      });
      assert.equal(await heard, 'hello!');
      const closed = new Promise((resolve) => client.addEventListener('close', resolve));
      client.close();
      await closed;
      await until(() => agent.totalSocketCount === 0);
    });

    it('keeps to the limits of WebSockets', async (t) => {
      const { server, agent, dispatcher: unlimited } = await setUp(t);
      assert.deepEqual(unlimited.webSocketOptions, { maxFragments: 131_072, maxPayloadSize: 134_217_728 });
      const sockets = new WebSocketServer({ noServer: true, verifyClient: (_info, done) => done(true) });
      server.server.on('upgrade', (req, socket: Duplex, head: Buffer) =>
        sockets.handleUpgrade(req, socket, head, (ws) => {
          ws.on('error', () => {});
          ws.send('x'.repeat(100));
        }),
      );
      const over = dispatcher(agent, { webSocket: { maxPayloadSize: 10 } });
      const client = new undici.WebSocket(`wss://localhost:${server.port}/`, { dispatcher: over as never });
      let hasCome = false;
      client.addEventListener('message', () => (hasCome = true));
      await new Promise((resolve) => client.addEventListener('close', resolve));
      assert.equal(hasCome, false);
    });

    it('hears of a WebSocket that is refused', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (_req, res) => res.writeHead(403).end());
      server.server.on('upgrade', (_req, socket: Duplex) =>
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'),
      );
      const client = new undici.WebSocket(`wss://localhost:${server.port}/`, { dispatcher: over as never });
      await new Promise((resolve) => client.addEventListener('error', resolve));
    });

    it('upgrades', async (t) => {
      const { server, dispatcher: over } = await setUp(t);
      server.server.on('upgrade', (req, socket: Duplex) => {
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${req.headers.upgrade}\r\nConnection: upgrade\r\n\r\nat once`,
        );
        socket.on('data', (chunk: Buffer) => socket.end(`${String(chunk)}!`));
      });
      const { headers, socket } = await undici.upgrade(server.url, {
        protocol: 'mine',
        dispatcher: over as never,
      } as never);
      assert.equal(headers['upgrade'], 'mine');
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += String(chunk)));
      await until(() => text === 'at once');
      socket.write('hello');
      await once(socket, 'end');
      assert.equal(text, 'at oncehello!');
    });

    it('connects', async (t) => {
      const { server, dispatcher: over } = await setUp(t);
      server.server.on('connect', (req, socket: Duplex) => {
        socket.write(`HTTP/1.1 200 Established\r\nx-target: ${req.url}\r\n\r\n`);
        socket.on('data', (chunk: Buffer) => socket.end(chunk));
      });
      const { statusCode, headers, socket } = await undici.connect({
        origin: server.url,
        path: 'example.com:443',
        dispatcher: over as never,
      } as never);
      assert.deepEqual([statusCode, headers['x-target']], [200, '/example.com:443']);
      socket.write('through');
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      assert.equal(String(chunk), 'through');
      socket.destroy();
    });
  });
}

for (const kind of KINDS) {
  describe(`a handler of the ${kind} kind`, LIMIT, () => {
    it('gets the socket, and that is the end', async (t) => {
      const { server, agent, dispatcher: over } = await setUp(t);
      server.server.on('connect', (req, socket: Duplex) =>
        socket.write(`HTTP/1.1 200 ${req.url}\r\nA: b\r\n\r\n`),
      );
      const told = recorder(kind);
      await run(over, { origin: server.url, path: 'host:1', method: 'CONNECT' }, told);
      assert.deepEqual(told.events, ['start', 'sent', 'upgrade 200']);
      assert.equal(told.headers['a'], 'b');
      told.controls.abort();
      assert.equal(told.socket?.destroyed, false);
      told.socket?.destroy();
      await until(() => agent.totalSocketCount === 0);
    });

    it('that throws when it gets the socket loses it', async (t) => {
      const { server, agent, dispatcher: over } = await setUp(t);
      server.server.on('connect', (_req, socket: Duplex) => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
      const error = new Error('thrown');
      const heard: unknown[] = [];
      const told = recorder(kind, {
        upgraded(socket) {
          socket.on('error', (reason) => heard.push(reason));
          throw error;
        },
      });
      over.dispatch({ origin: server.url, path: 'host:1', method: 'CONNECT' }, told.handler);
      await until(() => told.error === error);
      assert.ok(told.socket?.destroyed);
      await until(() => agent.totalSocketCount === 0 && heard.length > 0);
      assert.deepEqual(heard, [error]);
    });

    it('hears of an answer that is no upgrade as of any other', async (t) => {
      const { server, dispatcher: over } = await setUp(t, (req, res) => res.end(req.headers.upgrade));
      const told = await run(
        over,
        { origin: server.url, path: '/', method: 'GET', upgrade: 'mine' },
        recorder(kind),
      );
      assert.deepEqual([told.events.at(-1), told.body], ['end', 'mine']);
    });

    it('has its request end when the protocol is changed unasked', async (t) => {
      const server = await rawServer(t, (socket) =>
        socket.on('data', () =>
          socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
        ),
      );
      const agent = poolingAgent(t, { ca: server.ca });
      const told = await run(
        dispatcher(agent),
        { origin: server.url, path: '/', method: 'GET' },
        recorder(kind),
      );
      assert.deepEqual([told.error?.code, told.error?.message], ['UND_ERR_SOCKET', 'bad upgrade']);
      await until(() => server.open() === 0);
      await until(() => agent.totalSocketCount === 0);
    });
  });
}
