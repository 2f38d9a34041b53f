/**
 * Exchanges that are well, however slow or strange, never count as cut short: connections are inspected in each turn of
 * the event loop while these go on, with a request that waits behind them (see recovery.ts).
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage, RequestListener } from 'node:http';
import type { RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { PassThrough, Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { PoolingAgentOptions } from '../../../src/index.js';
import { poolingAgent } from '../../support/agent.js';
import { block } from '../../support/block.js';
import { lookAllTheTime } from '../../support/look.js';
import { request } from '../../support/protocol.js';
import { get, httpsServer } from '../../support/server.js';

const LIMIT = { timeout: 120_000 };
/** Milliseconds for which things stand still: some dozens of turns of the event loop. */
const WHILE = 40;
/** More than all buffers between the two take. */
const BIG = 8 * 2 ** 20;

const AGENTS: Record<string, PoolingAgentOptions> = { eager: {}, late: { binding: 'late' } };

const answer: RequestListener = (req, res) => {
  const { searchParams } = new URL(req.url ?? '/', 'https://localhost');
  const after = Number(searchParams.get('after'));
  const size = Number(searchParams.get('size'));
  const status = Number(searchParams.get('status') ?? 200);
  const reply = (): void => {
    res.writeHead(status, size > 0 ? { 'content-length': size } : {});
    if (req.method === 'HEAD' || status !== 200) res.end();
    else if (size === 0) res.end('answer');
    else Readable.from(pieces(size)).pipe(res);
  };
  if (searchParams.has('early')) reply();
  else if (searchParams.has('unread')) void wait(WHILE).then(() => req.resume().on('end', reply));
  else req.resume().on('end', () => void wait(after).then(reply));
  if (searchParams.has('early')) void wait(WHILE).then(() => req.resume());
};

function* pieces(size: number): Generator<Buffer> {
  const piece = Buffer.alloc(2 ** 16, 'x');
  for (let left = size; left > 0; left -= piece.length) yield piece.subarray(0, Math.min(left, piece.length));
}

/** Takes its time for each chunk. */
function slowly(): Writable {
  let isFirst = true;
  return new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, callback) {
      setTimeout(callback, isFirst ? WHILE : 0);
      isFirst = false;
    },
  });
}

async function responseTo(req: ClientRequest): Promise<IncomingMessage> {
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  return res;
}

async function lengthOf(res: AsyncIterable<unknown>): Promise<number> {
  let length = 0;
  for await (const chunk of res) length += (chunk as Buffer).length;
  return length;
}

/** After it, no other exchange may follow on its connection. */
const EARLY = 'an answer that comes long before the end of the upload';

type Send = (path: string, options?: RequestOptions) => ClientRequest;

const EXCHANGES: Record<string, (send: Send) => Promise<void>> = {
  async 'a server that takes its time'(send) {
    assert.equal(await lengthOf(await responseTo(send(`/?after=${WHILE}`).end())), 6);
  },
  async 'a response that is paused'(send) {
    const res = await responseTo(send(`/?size=${BIG}`).end());
    let length = 0;
    let isFirst = true;
    res.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (!isFirst) return;
      isFirst = false;
      res.pause();
      void wait(WHILE).then(() => res.resume());
    });
    await once(res, 'end');
    assert.equal(length, BIG);
  },
  async 'a response that nobody reads for a while, large'(send) {
    const res = await responseTo(send(`/?size=${BIG}`).end());
    await wait(WHILE);
    assert.equal(await lengthOf(res), BIG);
  },
  async 'a response that nobody reads for a while, small'(send) {
    const res = await responseTo(send('/').end());
    await wait(WHILE);
    assert.equal(await lengthOf(res), 6);
  },
  async 'a response of which one byte is read now and then'(send) {
    const res = await responseTo(send('/').end());
    const bytes: unknown[] = [];
    res.on('readable', () => {});
    while (bytes.length < 6) {
      await wait(WHILE / 8);
      const byte: unknown = res.read(1);
      if (byte) bytes.push(byte);
    }
    res.read();
    await once(res, 'end');
  },
  async 'a response that is iterated slowly'(send) {
    const res = await responseTo(send(`/?size=${2 ** 19}`).end());
    let length = 0;
    for await (const chunk of res) {
      length += (chunk as Buffer).length;
      await wait(1);
    }
    assert.equal(length, 2 ** 19);
  },
  async 'a response that is piped to a slow file'(send) {
    const res = await responseTo(send(`/?size=${BIG}`).end());
    await once(res.pipe(slowly()), 'finish');
  },
  async 'a small response that is piped to a slow file'(send) {
    const res = await responseTo(send('/').end());
    await once(res.pipe(slowly()), 'finish');
  },
  async 'a response that goes through a transformation, to two ends'(send) {
    const res = await responseTo(send(`/?size=${BIG}`).end());
    const slow = new Transform({
      transform: (chunk, _encoding, callback) => void setImmediate(callback, null, chunk),
    });
    res.pipe(new PassThrough()).resume();
    await pipeline(res, slow, slowly());
  },
  async 'a response that is read as a web stream'(send) {
    const res = await responseTo(send(`/?size=${BIG}`).end());
    const web = Readable.toWeb(res) as AsyncIterable<Uint8Array>;
    await wait(WHILE);
    assert.equal(await lengthOf(web), BIG);
  },
  async 'a large upload to a server that does not read'(send) {
    const req = send('/?unread', { method: 'POST' });
    Readable.from(pieces(BIG)).pipe(req);
    assert.equal(await lengthOf(await responseTo(req)), 6);
  },
  async 'an upload that begins late, and is corked'(send) {
    const req = send('/', { method: 'POST' });
    req.flushHeaders();
    await wait(WHILE);
    req.cork();
    req.write('some');
    await wait(WHILE);
    req.uncork();
    await wait(WHILE);
    req.end('more');
    assert.equal(await lengthOf(await responseTo(req)), 6);
  },
  async [EARLY](send) {
    const req = send('/?early', { method: 'POST' });
    req.write('some');
    assert.equal(await lengthOf(await responseTo(req)), 6);
    await wait(WHILE);
    req.end('more');
    await once(req, 'close');
  },
  async 'a body that is sent when the server asks for it'(send) {
    const req = send('/', { method: 'POST', headers: { expect: '100-continue' } });
    req.flushHeaders();
    await once(req, 'continue');
    await wait(WHILE);
    req.end('some');
    assert.equal(await lengthOf(await responseTo(req)), 6);
  },
  async 'answers without a body'(send) {
    for (const [path, method] of [
      ['/?size=9', 'HEAD'],
      ['/?status=204', 'GET'],
      ['/?status=304', 'GET'],
    ] as const) {
      const res = await responseTo(send(path, { method }).end());
      await wait(WHILE / 4);
      assert.equal(await lengthOf(res), 0);
    }
  },
  async 'an answer that nobody listens to'(send) {
    await once(send(`/?size=${BIG}`).end(), 'close');
  },
  async "an 'end' listener that goes on for long"(send) {
    const res = await responseTo(send('/').end());
    await new Promise<void>((resolve) => {
      res.prependListener('end', () => void wait(WHILE).then(resolve));
      res.resume();
    });
  },
  async 'an event loop that is blocked'(send) {
    const req = send(`/?after=${WHILE}`).end();
    await wait(WHILE / 2);
    block(WHILE);
    const res = await responseTo(req);
    block(WHILE);
    assert.equal(await lengthOf(res), 6);
  },
  async 'a request that takes its socket late'(send) {
    const req = send('/') as ClientRequest & { onSocket(...args: unknown[]): void };
    const onSocket = req.onSocket.bind(req);
    req.onSocket = (...args) => void setTimeout(onSocket, WHILE, ...args);
    assert.equal(await lengthOf(await responseTo(req.end())), 6);
  },
};

for (const [title, exchange] of Object.entries(EXCHANGES)) {
  test(title, LIMIT, async (t) => {
    const server = await httpsServer(t, answer);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    await get(server, { agent });
    lookAllTheTime(t);
    const own = exchange((path, options) =>
      request({ host: 'localhost', port: server.port, agent, path, ...options }),
    );
    const behind = get(server, { agent });
    await own;
    assert.equal((await behind).body, 'answer');
    if (title !== EARLY) assert.equal(server.connections(), 1);
  });
}

for (const [binding, options] of Object.entries(AGENTS)) {
  test(`${binding}: connections that take their time`, LIMIT, async (t) => {
    const server = await httpsServer(t, answer);
    server.server.prependListener('connection', (socket: Socket) => {
      socket.pause();
      setTimeout(() => socket.resume(), WHILE);
    });
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, ...options });
    lookAllTheTime(t);
    const late = { agent, lookup: slowLookup } as RequestOptions;
    const answers = await Promise.all([
      get(server, late),
      get(server, late),
      get(server, { ...late, method: 'POST' }),
    ]);
    assert.deepEqual(
      answers.map(({ body }) => body),
      ['answer', 'answer', 'answer'],
    );
    assert.equal(server.connections(), 1);
  });

  for (const method of ['CONNECT', 'GET']) {
    test(`${binding}: a socket that leaves HTTP by ${method}`, LIMIT, async (t) => {
      const server = await httpsServer(t, answer);
      const echo = (_req: unknown, socket: Socket): void => {
        socket.write('HTTP/1.1 101 Ok\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
        socket.pipe(socket);
      };
      server.server.on('upgrade', echo).on('connect', (_req, socket: Socket) => {
        socket.write('HTTP/1.1 200 Ok\r\n\r\n');
        socket.pipe(socket);
      });
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, ...options });
      lookAllTheTime(t);
      const path = method === 'GET' ? '/' : 'localhost:443';
      const headers = method === 'GET' ? { connection: 'upgrade', upgrade: 'echo' } : {};
      const req = request({
        host: 'localhost',
        port: server.port,
        agent,
        method,
        path,
        headers,
      }).end();
      const behind = get(server, { agent });
      const [, socket] = (await once(req, method === 'GET' ? 'upgrade' : 'connect')) as [unknown, Socket];
      await wait(WHILE);
      socket.write('echo');
      const [echoed] = (await once(socket, 'data')) as [Buffer];
      assert.equal(String(echoed), 'echo');
      assert.equal((await behind).body, 'answer');
      socket.destroy();
    });
  }
}

const slowLookup = (
  _host: string,
  options: { all?: boolean },
  callback: (...args: unknown[]) => void,
): void => {
  const address = { address: '127.0.0.1', family: 4 };
  setTimeout(() => (options.all ? callback(null, [address]) : callback(null, address.address, 4)), WHILE);
};
