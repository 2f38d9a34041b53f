/** A `createConnection` that gives what nobody would expect: the request ends with an error, and the next one goes on. */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { it } from 'node:test';
import { inspect } from 'node:util';
import { LIMIT, replaceCreateConnection, send } from '../contract/support.js';
import type { Callback } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { connect } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';

it('an error that is none reaches the request as it is', LIMIT, async (t) => {
  const agent = poolingAgent(t, { maxSockets: 1 });
  replaceCreateConnection(agent, (_options, callback: Callback) => {
    setImmediate(() => callback('out of order' as unknown as Error));
  });
  const sent = [send({ port: 1 }, { agent }), send({ port: 1 }, { agent })];
  for (const { closed } of sent) await closed;
  assert.deepEqual(
    sent.map(({ errors }) => errors),
    [['out of order'], ['out of order']],
  );
  assert.equal(agent.totalSocketCount, 0);
});

it('a stream that refuses to be listened to, or marked', LIMIT, async (t) => {
  const agent = poolingAgent(t, { maxSockets: 1 });
  const streams = [
    new Duplex().on('newListener', (event) => {
      if (event === 'timeout') throw new Error('not this one');
    }),
    Object.preventExtensions(new Duplex()),
  ];
  const left = [...streams];
  replaceCreateConnection(agent, () => left.shift());
  const sent = [send({ port: 1 }, { agent }), send({ port: 1 }, { agent })];
  for (const { closed } of sent) await closed;
  assert.match(String(sent[0]?.errors[0]), /not this one/);
  assert.match(String(sent[1]?.errors[0]), /not extensible/);
  assert.ok(streams.every(({ destroyed }) => destroyed));
  assert.equal(agent.totalSocketCount, 0);
});

it('the error for something wrong shows nothing of what is in it', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const socket = connect({ host: '127.0.0.1', port: server.port, ca: server.ca, key, cert, servername: '' });
  t.after(() => socket.destroy());
  replaceCreateConnection(agent, () => socket);
  await get(server, { agent });
  for (const wrong of [{ a: 1 }, socket, async () => {}, [], 5n]) {
    replaceCreateConnection(agent, () => wrong);
    const { errors, closed } = send({ port: 1 }, { agent });
    await closed;
    assert.equal(errors[0]?.code, 'ERR_INVALID_ARG_TYPE');
    assert.ok(!inspect(errors[0]).includes('PRIVATE KEY'));
    assert.ok((errors[0]?.message.length ?? 0) < 200, errors[0]?.message);
  }
});
