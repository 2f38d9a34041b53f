/** Defects 7 and 15: what shares a connection, and should not, and the other way round. */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { get, httpsServer } from '../support/server.js';
import { defect } from './support.js';

const accept = (): undefined => undefined;
const refuse = (_host: string, _cert: PeerCertificate): Error => new Error('not the one');

const DIFFERENT: Record<string, (ca: string) => object[]> = {
  secureContext: (ca) => [
    { secureContext: createSecureContext({ ca }) },
    { secureContext: createSecureContext({ ca }) },
  ],
  passphrase: () => [{ passphrase: 'one' }, { passphrase: 'another' }],
  ALPNProtocols: () => [{ ALPNProtocols: ['http/1.1'] }, { ALPNProtocols: ['http/1.0', 'http/1.1'] }],
};

/** Newer Nodes name some of these options. */
function haveOneName(requests: object[]): boolean {
  const agent = new Agent();
  return new Set(requests.map((options) => agent.getName(options))).size === 1;
}

for (const [name, make] of Object.entries(DIFFERENT)) {
  defect(
    `7. requests with a different ${name} share a connection`,
    { symptom: /1 connection for two/, here: haveOneName(make('')) },
    async ({ t, agent: makeAgent, until }) => {
      const server = await httpsServer(t);
      const agent = makeAgent({ ca: server.ca });
      for (const options of make(server.ca)) {
        await get(server, { agent, ...options });
        await until(() => Object.keys(agent.freeSockets).length > 0, 'idle');
      }
      assert.equal(server.connections(), 2, `${server.connections()} connection for two`);
    },
  );
}

/** Newer Nodes mark the options of such a request, and give it a connection of its own; that is defect 15. */
function marks(): boolean {
  const agent = new Agent();
  let symbols: symbol[] = [];
  Reflect.set(agent, 'addRequest', (_req: object, options: object) => {
    symbols = Object.getOwnPropertySymbols(options);
  });
  request({ agent, checkServerIdentity: accept })
    .on('error', () => {})
    .destroy();
  return symbols.length > 0;
}

defect(
  '7. a connection that one checkServerIdentity accepted serves another that would refuse it',
  { symptom: /Missing expected rejection/, here: !marks() },
  async ({ t, agent: make, until }) => {
    const server = await httpsServer(t);
    const agent = make({ ca: server.ca });
    await get(server, { agent, checkServerIdentity: accept });
    await until(() => Object.keys(agent.sockets).length === 0, 'no longer active');
    await assert.rejects(get(server, { agent, checkServerIdentity: refuse }), /not the one/);
  },
);

defect(
  '15. requests with one and the same checkServerIdentity do not share a connection',
  { symptom: /3 connections for three/, here: marks() },
  async ({ t, agent: make, until }) => {
    const server = await httpsServer(t);
    const agent = make({ ca: server.ca });
    for (let i = 0; i < 3; i++) {
      await get(server, { agent, checkServerIdentity: accept });
      await until(() => Object.keys(agent.sockets).length === 0, 'no longer active');
    }
    assert.equal(server.connections(), 1, `${server.connections()} connections for three`);
  },
);
