/**
 * Connections that have rested for some milliseconds, on a Node that cannot ask the system what has come: a request that can be sent twice gets one at once, and is not answered by what the last
 * poll of the event loop has found there; any other request waits until that has been read.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, TLSSocket } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { pendingRead } from '../../src/node/handle.js';
import { pollCount } from '../../src/node/poll-count.js';
import type { PoolingAgent } from '../../src/index.js';
import type { ConnectionState } from '../../src/pool/records.js';
import { poolingAgent, poolOf } from '../support/agent.js';
import { block } from '../support/block.js';
import { certificate } from '../support/certificate.js';
import { isPlain, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer, rawServer } from '../support/server.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

/** Bytes that are read just now count as read. */
const REST = 5;

const response = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** Answers each request with its path. */
async function echoServer(t: TestContext) {
  const sockets: TLSSocket[] = [];
  const raw: Socket[] = [];
  const server = await rawServer(t, (socket) => {
    sockets.push(socket);
    socket.on('data', (data: Buffer) => {
      const path = /^[A-Z]+ (\S+)/.exec(data.toString('latin1'))?.[1];
      if (path) socket.write(response(path));
    });
  });
  server.server.on('connection', (socket: Socket) => raw.push(socket));
  return { ...server, sockets, raw };
}

/** A connection to which something can be written, to be called back in the next poll. */
async function trigger(t: TestContext): Promise<(callback: () => void) => void> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const writer = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [reader] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    writer.destroy();
    reader.destroy();
    server.close();
  });
  writer.setNoDelay(true);
  return (callback) => {
    reader.once('data', callback);
    writer.write('.');
  };
}

/** Until the connection can be leased. It is shown as free before, while the loop polls once more. */
async function untilLeasable(agent: PoolingAgent): Promise<void> {
  await until(() => poolOf(agent).idle.size === 1);
}

/** Sends a request that is to get the only connection of `agent`, and tells what becomes of that at once. */
function ask(
  server: { port: number; ca: string },
  agent: PoolingAgent,
  method: string,
  path: string,
): { state: ConnectionState | undefined; body: Promise<string> } {
  const [rested] = poolOf(agent).idle;
  const answer = get(server, { agent, method, path });
  return { state: rested?.state, body: answer.then(({ body }) => body) };
}

/** A machine that is busy may let the loop take its time, and then each request waits: it takes some more rounds to see one that does not. */
function isOn(round: number, states: ReadonlySet<unknown>, method: string): boolean {
  return round < (method === 'GET' && !states.has('active') ? 200 : 15);
}

const SURPRISES: Record<string, (socket: TLSSocket, raw: Socket) => void> = {
  'a response that nobody has asked for': (socket) => void socket.write(response('stray')),
  'two of them': (socket) => {
    socket.write(response('stray'));
    socket.write(response('stray, too'));
  },
  'the end of the connection': (socket) => void socket.end(),
  'a reset': (_, raw) => void raw.resetAndDestroy(),
};

for (const [what, surprise] of Object.entries(SURPRISES)) {
  for (const method of ['GET', 'POST']) {
    test(`${method}, when the poll has found ${what} on the connection`, LIMIT, async (t) => {
      t.after(pendingRead.switchOff());
      const server = await echoServer(t);
      const soon = await trigger(t);
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      const states = new Set<ConnectionState | undefined>();
      for (let round = 0; isOn(round, states, method); round++) {
        // Twice: at the second lease it is known how busy the loop is.
        for (const path of ['/before', '/once-more']) {
          await get(server, { agent, path });
          await untilLeasable(agent);
          await sleep(REST);
        }
        const body = await new Promise<string>((resolve, reject) => {
          // The loop finds both at once, and calls back for the one that came first.
          soon(() => {
            const asked = ask(server, agent, method, `/${round}`);
            states.add(asked.state);
            asked.body.then(resolve, reject);
          });
          surprise(server.sockets.at(-1) as TLSSocket, server.raw.at(-1) as Socket);
        });
        assert.equal(body, `/${round}`);
      }
      if (method === 'GET') assert.ok(states.has('active'), 'it got the connection at once');
      else assert.ok(!states.has('active'), 'it waited');
    });
  }
}

test('a connection that has rested serves one after the other, at once', LIMIT, async (t) => {
  t.after(pendingRead.switchOff());
  const server = await echoServer(t);
  const soon = await trigger(t);
  const agent = poolingAgent(t, { ca: server.ca });
  const moments: Record<string, (callback: () => void) => void> = {
    'when the loop has polled': soon,
    'in an immediate': (callback) => void setImmediate().then(callback),
    'when a timer ends': (callback) => void sleep(1).then(callback),
  };
  await get(server, { agent });
  for (const [when, call] of Object.entries(moments)) {
    const states = new Set<ConnectionState | undefined>();
    for (let round = 0; isOn(round, states, 'GET'); round++) {
      await untilLeasable(agent);
      await sleep(REST);
      const body = await new Promise<string>((resolve, reject) => {
        call(() => {
          const asked = ask(server, agent, 'GET', `/${round}`);
          states.add(asked.state);
          asked.body.then(resolve, reject);
        });
      });
      assert.equal(body, `/${round}`);
    }
    assert.ok(states.has('active'), when);
  }
  assert.equal(server.connections(), 1);
});

/** Bytes that Node's TLS reads at once. A read of that size is followed by another one in the same poll. */
const READ = 65_536;
/** Content of a TLS record, and what the record has beside it. */
const RECORD = 16_384;
const OVERHEAD = 22;

/** In a thread of its own, so that it answers while the client is busy. */
const ANSWERING = `
  const { createServer } = require('node:tls');
  const { parentPort, workerData } = require('node:worker_threads');
  const { key, cert, text } = workerData;
  const server = createServer({ key, cert, noDelay: true }, (socket) => {
    socket.on('error', () => {}).on('data', () => socket.write(text));
  });
  server.on('secureConnection', () => parentPort.postMessage('connection'));
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test(
  'answers that are read in the poll of the answer before them are no stray bytes',
  { ...LIMIT, ...TLS_ONLY },
  async (t) => {
    t.after(pendingRead.switchOff());
    const size = READ - Math.ceil(READ / (RECORD + OVERHEAD)) * OVERHEAD;
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: ';
    const length = size - head.length - '12345\r\n\r\n'.length;
    const text = `${head}${length}\r\n\r\n${'x'.repeat(length)}`;
    assert.equal(text.length, size);
    const { key, cert } = await certificate();
    const worker = new Worker(ANSWERING, { eval: true, workerData: { key, cert, text } });
    t.after(() => worker.terminate());
    const [port] = (await once(worker, 'message')) as [number];
    let connections = 0;
    worker.on('message', () => connections++);
    const agent = poolingAgent(t, { ca: cert, maxSockets: 1 });
    for (let i = 0; i < 100; i++) {
      const answer = get({ port, ca: cert }, { agent });
      // When it was written.
      process.nextTick(() => process.nextTick(block, 2));
      assert.equal((await answer).body.length, length);
    }
    assert.equal(connections, 1);
  },
);

/** Two ends of a stream that is made in JavaScript: what one writes, the other reads in the next tick. */
function duplexPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [0, 1].map(
    (end) =>
      new Duplex({
        read() {},
        write(chunk, _encoding, callback) {
          process.nextTick(() => {
            ends[1 - end]?.push(chunk);
            callback();
          });
        },
      }),
  );
  return ends as [Duplex, Duplex];
}

test('answers that come without a poll of the loop are no stray bytes', LIMIT, async (t) => {
  // So that it is known by now that the loop counts its polls.
  const counted = await httpsServer(t);
  await get(counted, { agent: poolingAgent(t, { ca: counted.ca }) });
  assert.ok(pollCount.isKnown && pollCount.holds);
  const { key, cert } = await certificate();
  let connections = 0;
  const agent = poolingAgent(t, { ca: cert, maxSockets: 1 });
  agent.createConnection = ((options: object) => {
    connections++;
    const [ours, theirs] = duplexPair();
    const server = isPlain ? theirs : new TLSSocket(theirs, { isServer: true, key, cert });
    server.on('error', () => {});
    server.on('data', () => server.write(response('from JavaScript')));
    return isPlain ? ours : connectTls({ ...options, socket: ours });
  }) as typeof agent.createConnection;
  for (let i = 0; i < 10; i++) {
    const { body } = await get({ port: 443, ca: cert }, { agent });
    assert.equal(body, 'from JavaScript');
    await untilLeasable(agent);
    await sleep(REST);
  }
  assert.equal(connections, 1);
});

suite('where the event loop does not count its polls', () => {
  for (const method of ['GET', 'POST']) {
    test(`${method} waits for one more poll`, LIMIT, async (t) => {
      t.after(pendingRead.switchOff());
      t.after(pollCount.switchOff());
      const server = await echoServer(t);
      const agent = poolingAgent(t, { ca: server.ca });
      await get(server, { agent });
      await untilLeasable(agent);
      await sleep(REST);
      const { state, body } = ask(server, agent, method, '/');
      assert.equal(state, 'validating');
      assert.equal(await body, '/');
      assert.equal(server.connections(), 1);
    });
  }
});
