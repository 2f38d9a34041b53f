/** `createConnection` that brings a socket which is over already, in one way or another: its request ends, and its slot is free. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { poolingAgent } from '../support/agent.js';
import { connect, READY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { until } from '../support/until.js';
import { LIMIT, replaceCreateConnection, send } from './support.js';

const stream = (): Duplex => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });

/** Sockets that nobody can use any more. */
const DEAD: Record<string, (server: TestServer) => Promise<Duplex> | Duplex> = {
  'a TLS socket that is closed': async ({ port, ca }) => {
    const socket = connect({ port, host: 'localhost', ca });
    await once(socket, READY);
    socket.destroy();
    await once(socket, 'close');
    return socket;
  },
  'a TCP socket that is closed': async ({ port }) => {
    const socket = connectTcp(port, 'localhost').destroy();
    await once(socket, 'close');
    return socket;
  },
  'a socket that closed with an error': async () => {
    const socket = stream();
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {}).destroy(Object.assign(new Error('before'), { code: 'ECONNRESET' }));
    await closed;
    return socket;
  },
  'a stream that is closed': async () => {
    const socket = stream().destroy();
    await once(socket, 'close');
    return socket;
  },
  'a stream that is destroyed, and not closed yet': () => stream().destroy(),
  'a socket that is destroyed while it connects': ({ port, ca }) =>
    connect({ port, host: 'localhost', ca }).destroy(),
};

describe('createConnection brings', () => {
  for (const [what, make] of Object.entries(DEAD)) {
    for (const how of ['returned', 'called back']) {
      for (const binding of ['eager', 'late'] as const) {
        it(`${what}, ${how}, ${binding} binding`, LIMIT, async (t) => {
          const server = await httpsServer(t);
          const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1, maxTotalSockets: 1, binding });
          // Those that have been closed for a while are made beforehand; others die in the very call.
          const closed = make(server);
          const early = closed instanceof Promise ? await closed : undefined;
          let calls = 0;
          replaceCreateConnection(agent, (options, callback) => {
            if (++calls > 1) return connect(options as ConnectionOptions);
            const socket = early ?? (make(server) as Duplex);
            if (how === 'returned') return socket;
            callback(null, socket as never);
            return undefined;
          });
          const sent = send(server, { agent });
          const next = get(server, { agent, path: '/next' });
          await sent.closed;
          assert.deepEqual(sent.events, ['error', 'close']);
          assert.equal(sent.errors[0]?.code, 'ECONNRESET');
          assert.equal((await next).body, '/next');
          assert.equal(agent.totalSocketCount, 1);
          await until(() => server.open() === 1);
        });
      }
    }
  }
});
