/** Options count where the caller put them, and not where somebody polluted a prototype, as with Node's agent. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { asNode, forBoth } from '../contract/support.js';
import { PoolingAgent } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';

const POLLUTION = {
  binding: 'late',
  defaultPort: 1,
  keepAliveMsecs: 'soon',
  maxFreeSockets: 0,
  maxSockets: 0,
  maxTotalSockets: 0,
  protocol: 'http:',
  proxyEnv: { https_proxy: 'http://127.0.0.1:1' },
  scheduling: 'random',
};

forBoth('a polluted Object.prototype', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const clean = (): void => {
    for (const name of Object.keys(POLLUTION)) Reflect.deleteProperty(Object.prototype, name);
  };
  t.after(clean);
  for (const [name, value] of Object.entries(POLLUTION)) {
    Reflect.defineProperty(Object.prototype, name, { configurable: true, writable: true, value });
  }
  const agent = make();
  clean();
  assert.equal(agent.maxSockets, Infinity);
  assert.equal(agent.maxFreeSockets, 256);
  assert.equal(agent.keepAliveMsecs, 1000);
  const first = await get(server, { agent, path: '/1' });
  const second = await get(server, { agent, path: '/2' });
  assert.deepEqual([first.body, second.body], ['/1', '/2']);
  assert.equal(server.connections(), 1);
});

forBoth('options that are inherited do not count', ({ agent: make }) => {
  const agent = make(Object.create({ maxSockets: 3, ca: 'polluted' }));
  assert.equal(agent.maxSockets, Infinity);
  assert.equal(agent.options.ca, undefined);
});

it('each option is read once', () => {
  let reads = 0;
  const agent = new PoolingAgent({
    get maxSockets() {
      return ++reads;
    },
  });
  assert.equal(agent.maxSockets, 1);
  assert.equal(asNode(agent).options.maxSockets, 1);
  assert.equal(reads, 1);
});
