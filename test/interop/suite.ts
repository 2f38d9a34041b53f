/** Tests that hold with every server. */
import assert from 'node:assert/strict';
import { poolingAgent } from '../support/agent.js';
import { until } from '../support/until.js';
import { ask, askOnce, assertSeparate, connectionsOf, load, sequence } from './client.js';
import { clientCertificate } from './client-certificate.js';
import type { Protocol, Settings, Start, Test } from './real-server.js';

export interface Abilities {
  /** Keeps connections open between requests. */
  readonly keepAlive: boolean;
  /** Closes a connection after a number of requests, if told so. */
  readonly limitsRequests: boolean;
  /** Finds TLS 1.3 sessions in its cache. */
  readonly cachesTls13: boolean;
}

const PROTOCOLS: readonly Protocol[] = ['TLSv1.2', 'TLSv1.3'];

export function suite(test: Test, start: Start, abilities: Abilities): void {
  for (const protocol of PROTOCOLS) {
    const caches = protocol === 'TLSv1.2' || abilities.cachesTls13;
    for (const tickets of [true, false]) {
      for (const cache of [true, false]) {
        resumption(test, start, { protocol, tickets, cache }, tickets || (cache && caches));
      }
      if (tickets || caches) restart(test, start, { protocol, tickets, cache: true });
    }
    mutualTls(test, start, { protocol, tickets: true, cache: true });
    if (abilities.keepAlive) sharing(test, start, { protocol, tickets: true, cache: true });
  }
  otherProtocol(test, start);
  const settings: Settings = { protocol: 'TLSv1.3', tickets: true, cache: true };
  if (abilities.keepAlive) closing(test, start, settings);
  if (abilities.limitsRequests) requestLimit(test, start, settings);
}

function nameOf({ protocol, tickets, cache }: Settings): string {
  return `${protocol}, tickets ${tickets ? 'on' : 'off'}, cache ${cache ? 'on' : 'off'}`;
}

function resumption(test: Test, start: Start, settings: Settings, resumes: boolean): void {
  const what = resumes ? 'every connection after the first resumes' : 'nothing resumes, nothing fails';
  test(`${nameOf(settings)}: ${what}`, async (t) => {
    const server = await start(t, settings);
    const agent = poolingAgent(t, { ca: server.ca });
    const inTurn = await sequence(server, agent, 6);
    assert.deepEqual(
      inTurn,
      inTurn.map((_, i) => resumes && i > 0),
    );
    const atOnce = await Promise.all(Array.from({ length: 8 }, () => askOnce(server, agent)));
    assertSeparate(atOnce);
    for (const { resumed } of atOnce) assert.equal(resumed, resumes);
  });
}

function restart(test: Test, start: Start, settings: Settings): void {
  test(`${nameOf(settings)}: a restart of the server costs one full handshake`, async (t) => {
    const server = await start(t, settings);
    const agent = poolingAgent(t, { ca: server.ca });
    assert.deepEqual(await sequence(server, agent, 3), [false, true, true]);
    await server.restart();
    assert.deepEqual(await sequence(server, agent, 3), [false, true, true]);
  });
}

/** Idle times that were learned from one server are of no use with the next one, and do no harm. */
function otherProtocol(test: Test, start: Start): void {
  test('a server that comes back with another protocol', async (t) => {
    const server = await start(t, { protocol: 'TLSv1.3', tickets: true, cache: true });
    const agent = poolingAgent(t, { ca: server.ca });
    assert.deepEqual(await sequence(server, agent, 3), [false, true, true]);
    for (const protocol of ['TLSv1.2', 'TLSv1.3'] as const) {
      await server.restart({ protocol });
      assert.deepEqual(await sequence(server, agent, 3), [false, true, true]);
      assert.equal((await askOnce(server, agent)).protocol, protocol);
    }
  });
}

function mutualTls(test: Test, start: Start, settings: Settings): void {
  test(`${settings.protocol}, mutual TLS: who resumes is who it was`, async (t) => {
    const names = ['alice', 'bob'];
    const [alice, bob, mallory] = await Promise.all([...names, 'mallory'].map(clientCertificate));
    assert.ok(alice && bob);
    const server = await start(t, { ...settings, clients: [alice.cert, bob.cert] });
    const agent = poolingAgent(t, { ca: server.ca });
    for (let round = 0; round < 3; round++) {
      for (const [i, identity] of [alice, bob].entries()) {
        const { client, resumed } = await askOnce(server, agent, identity);
        assert.equal(client, names[i]);
        assert.equal(resumed, round > 0, `${client}, round ${round}`);
      }
    }
    // Each server has its own way to say no: an alert, or an answer.
    for (const identity of [{}, mallory]) {
      const outcome = await ask(server, agent, identity).then(
        ({ status }) => status,
        (error: Error & { code?: string }) => error.code,
      );
      assert.ok(
        outcome === 400 || /^(ERR_SSL_|EPROTO|ECONNRESET|EPIPE)/.test(String(outcome)),
        String(outcome),
      );
    }
    assert.equal((await askOnce(server, agent, alice)).client, 'alice');
  });
}

function sharing(test: Test, start: Start, settings: Settings): void {
  test(`${settings.protocol}: connections are shared`, async (t) => {
    const server = await start(t, settings);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 8 });
    assert.equal(connectionsOf(await load(server, agent, 10, 1)).length, 1);
    const atOnce = connectionsOf(await load(server, agent, 200, 20));
    assert.ok(atOnce.length <= 8, `${atOnce.length} connections`);
  });
}

function closing(test: Test, start: Start, settings: Settings): void {
  test('a server that closes idle connections', async (t) => {
    const server = await start(t, { ...settings, idleSeconds: 1 });
    const agent = poolingAgent(t, { ca: server.ca });
    const before = connectionsOf(await load(server, agent, 20, 4));
    await until(() => agent.totalSocketCount === 0);
    const answers = await load(server, agent, 20, 4);
    for (const { connection, resumed } of answers) {
      assert.ok(resumed);
      assert.ok(!before.includes(connection));
    }
  });

  test('a server that restarts under idle connections', async (t) => {
    const server = await start(t, settings);
    const agent = poolingAgent(t, { ca: server.ca });
    for (let i = 0; i < 3; i++) {
      const [first] = await load(server, agent, 1, 1);
      assert.equal(first?.resumed, false);
      await load(server, agent, 20, 5);
      await server.restart();
      await until(() => agent.totalSocketCount === 0);
    }
  });
}

function requestLimit(test: Test, start: Start, settings: Settings): void {
  test('a server that closes connections after five requests', async (t) => {
    const server = await start(t, { ...settings, requestsPerConnection: 5 });
    const agent = poolingAgent(t, { ca: server.ca });
    const answers = await load(server, agent, 20, 1);
    assert.equal(connectionsOf(answers).length, 4);
    for (const [i, { connection, resumed }] of answers.entries()) {
      assert.equal(connection, answers[i - (i % 5)]?.connection);
      assert.equal(resumed, i >= 5);
    }
    await load(server, agent, 200, 20);
  });
}
