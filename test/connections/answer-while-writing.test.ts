/** Below a connection may be a stream that is made in JavaScript. On such a one the answer can come while the request is still being written. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { replaceCreateConnection } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { connect, isPlain } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { LIMIT } from './support.js';

/** Bytes that are written to one end come out of the other before `write` has returned. */
class End extends Duplex {
  other: End | undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.other?.push(chunk);
    callback();
  }

  override _final(callback: () => void): void {
    this.other?.push(null);
    callback();
  }
}

for (const method of ['GET', 'POST']) {
  test(`a ${method} that is answered while it is written keeps its connection`, LIMIT, async (t) => {
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    replaceCreateConnection(agent, (options: ConnectionOptions) => {
      const [near, far] = [new End(), new End()];
      near.other = far;
      far.other = near;
      server.server.emit('connection', far);
      return isPlain ? near : connect({ ...options, socket: near, servername: 'localhost' });
    });
    for (const path of ['/1', '/2', '/3', '/4']) {
      assert.equal((await get(server, { agent, path, method })).body, path);
    }
    assert.equal(server.connections(), 1);
    assert.equal(server.requests(), 4);
  });
}
