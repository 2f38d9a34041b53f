/**
 * `agent.options` changed while requests wait, as needle does for every request: each gets a connection of the kind that it asked
 * for, and no connection is kept for others than those.
 */
import assert from 'node:assert/strict';
import type { RequestOptions } from 'node:https';
import { asNode, forBoth, send } from '../contract/support.js';
import { get, httpsServer } from '../support/server.js';

forBoth('verification that is turned off for one request is off for that one', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make();
  const ask = (rejectUnauthorized: boolean) => {
    agent.options.rejectUnauthorized = rejectUnauthorized;
    // No `ca`: the certificate is not trusted.
    return send({ port: server.port }, { agent, rejectUnauthorized });
  };
  const strict = [ask(true), ask(true), ask(true)];
  const lax = ask(false);
  for (const { closed } of [...strict, lax]) await closed;
  assert.deepEqual(lax.events, ['response', 'close']);
  strict.push(ask(true));
  await strict.at(-1)?.closed;
  for (const { errors, events } of strict) {
    assert.deepEqual(events, ['error', 'close']);
    assert.equal(errors[0]?.code, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  }
});

forBoth('a port that is changed for one request is that of this one', async ({ t, agent: make }) => {
  const [a, b] = [
    await httpsServer(t, (_req, res) => setImmediate(() => res.end('a'))),
    await httpsServer(t, (_req, res) => res.end('b')),
  ];
  const agent = asNode(make());
  const ask = async (port?: number): Promise<string> => {
    if (port === undefined) Reflect.deleteProperty(agent.options, 'port');
    else Reflect.set(agent.options, 'port', port);
    const options: RequestOptions = { agent };
    return (await get(a, options)).body;
  };
  assert.deepEqual(await Promise.all([ask(), ask(), ask(), ask(b.port)]), ['a', 'a', 'a', 'b']);
  assert.deepEqual(await Promise.all([ask(), ask(), ask(), ask(b.port)]), ['a', 'a', 'a', 'b']);
});
