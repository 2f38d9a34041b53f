/** Answers at the edges of HTTP, and what becomes of them. */
import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { dispatcher } from '../../src/undici/index.js';
import type { DispatchOptions } from '../../src/undici/index.js';
import { poolingAgent } from '../support/agent.js';
import { rawServer } from '../support/server.js';
import { until } from '../support/until.js';
import { KINDS, LIMIT, recorder, run } from './support.js';
import type { Kind, Told } from './support.js';

/** A server that answers each request with these bytes. */
async function answering(t: TestContext, answer: string) {
  const server = await rawServer(t, (socket: TLSSocket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(answer, 'latin1'));
  });
  const agent = poolingAgent(t, { ca: server.ca });
  const over = dispatcher(agent);
  const ask = (kind: Kind, options: Partial<DispatchOptions> = {}): Promise<Told> =>
    run(over, { origin: server.url, path: '/', method: 'GET', ...options }, recorder(kind));
  return { agent, ask };
}

const OK = 'HTTP/1.1 200 OK\r\n';

for (const kind of KINDS) {
  describe(`an answer, for a handler of the ${kind} kind`, LIMIT, () => {
    it('that is whole counts, whatever comes after it: that ends the connection', async (t) => {
      const cases: [answer: string, method: string, body: string][] = [
        [`${OK}content-length: 2\r\n\r\nabcd`, 'GET', 'ab'],
        [`${OK}content-length: 2\r\n\r\nab`, 'HEAD', ''],
        ['HTTP/1.1 204 None\r\ncontent-length: 2\r\n\r\nab', 'GET', ''],
      ];
      for (const [answer, method, body] of cases) {
        const { agent, ask } = await answering(t, answer);
        const told = await ask(kind, { method });
        assert.deepEqual([told.error, told.events.at(-1), told.body], [undefined, 'end', body]);
        await until(() => agent.totalSocketCount === 0);
      }
    });

    it('of 101 that names no protocol is a bad upgrade', async (t) => {
      const { agent, ask } = await answering(t, 'HTTP/1.1 101 Switching Protocols\r\n\r\n');
      for (const upgrade of [undefined, 'websocket']) {
        const told = await ask(kind, { upgrade });
        assert.deepEqual([told.error?.code, told.error?.message], ['UND_ERR_SOCKET', 'bad upgrade']);
        assert.deepEqual(told.events.slice(-1), ['error']);
        await until(() => agent.totalSocketCount === 0);
      }
    });

    it('may have more headers than Node’s client takes by default', async (t) => {
      const { ask } = await answering(t, `${OK}${'x: y\r\n'.repeat(2500)}content-length: 1\r\n\r\nz`);
      const told = await ask(kind);
      assert.equal(told.rawHeaders.length, 2 * 2501);
      assert.equal(told.headers['content-length'], '1');
    });
  });
}

describe('headers as an object', LIMIT, () => {
  it('have all values of a name, whatever it is', async (t) => {
    const names = ['__proto__', 'constructor', 'x'];
    const lines = names.map((name) => `${name}: a\r\n${name}: b\r\n${name}: c\r\n`).join('');
    const { ask } = await answering(t, `${OK}${lines}content-length: 0\r\n\r\n`);
    const { headers } = await ask('new');
    for (const name of names)
      assert.deepEqual(Object.getOwnPropertyDescriptor(headers, name)?.value, ['a', 'b', 'c']);
  });
});
