/** Both systems promise the same of several agents, and of hosts that agents do not list. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createAgents } from '../../src/index.js';
import { observe } from '../../src/opentelemetry/index.js';
import { register } from '../../src/prometheus/index.js';
import type { Observed } from '../../src/telemetry/observed.js';
import { poolingAgent } from '../support/agent.js';
import { hostStats, pretendAgent } from '../support/pretend-agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { openTelemetry, promClient } from './scrape.js';

async function httpServer(t: TestContext): Promise<number> {
  const server = http.createServer((_req, res) => res.end('ok'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

async function plainGet(port: number, agent: http.Agent): Promise<void> {
  const [res] = (await once(http.get({ host: 'localhost', port, agent }), 'response')) as [
    http.IncomingMessage,
  ];
  await once(res.resume(), 'end');
}

const SYSTEMS = {
  OpenTelemetry: {
    open: 'http_client_open_connections',
    begin: async (t: Parameters<typeof openTelemetry>[0]) => {
      const { into, scrape } = await openTelemetry(t);
      return { scrape, add: (agent: Observed, maxHosts?: number) => observe(agent, into, { maxHosts }) };
    },
  },
  Prometheus: {
    open: 'pooling_https_agent_open_connections',
    begin: async (t: Parameters<typeof promClient>[0]) => {
      const { into: registry, scrape } = await promClient(t);
      return {
        scrape,
        add: (agent: Observed, maxHosts?: number) => register(agent, { registry, maxHosts }),
      };
    },
  },
};

for (const [system, { begin, open }] of Object.entries(SYSTEMS)) {
  test(`${system}: an agent whose stats() throws takes no other's metrics along`, async (t) => {
    const { add, scrape } = await begin(t);
    const [broken, sound] = [pretendAgent('broken'), pretendAgent('sound')];
    broken.stats = () => {
      throw new Error('no');
    };
    sound.numbers = { requests: 3 };
    add(broken);
    add(sound);
    assert.equal((await scrape()).sum('pooling_https_agent_requests_total'), 3);
  });

  test(`${system}: an agent whose stats() lacks numbers takes no other's metrics along`, async (t) => {
    const { add, scrape } = await begin(t);
    const wrong: object[] = [
      { handshakes: undefined },
      { closed: { 'max-age': undefined } },
      { requests: NaN },
      { opened: -1 },
      { closing: undefined },
      { waiting: '1' },
      { hosts: { 'a.example:443': {} } },
      { hosts: { 'a.example:443': null } },
    ];
    for (const [index, numbers] of wrong.entries()) {
      const agent = pretendAgent(`wrong-${index}`);
      const { stats } = agent;
      agent.stats = (options) => ({ ...stats.call(agent, options), ...numbers });
      add(agent);
    }
    const empty = pretendAgent('empty');
    empty.stats = () => ({}) as never;
    add(empty);
    const sound = pretendAgent('sound', { 'a.example:443': hostStats({ active: 2 }) });
    sound.numbers = { requests: 3, active: 2 };
    add(sound);
    const scraped = await scrape();
    assert.equal(scraped.sum('pooling_https_agent_requests_total'), 3);
    assert.equal(scraped.sum(open), 2);
  });

  test(`${system}: what hosts have that are not listed is told as _OTHER`, async (t) => {
    const { add, scrape } = await begin(t);
    const agent = pretendAgent('api', { 'a.example:443': hostStats({ active: 2, waiting: 1 }) });
    agent.numbers = { active: 5, idle: 7, waiting: 4 };
    add(agent);
    const scraped = await scrape();
    assert.equal(scraped.sum(open), 12);
    assert.equal(scraped.sum(open, { server_address: '_OTHER' }), 10);
    assert.equal(scraped.value('pooling_https_agent_waiting_requests', { server_address: '_OTHER' }), 3);
  });

  test(`${system}: an agent and what it lends are one`, async (t) => {
    const { add, scrape } = await begin(t);
    const server = await httpsServer(t);
    const agent = poolingAgent(t, { ca: server.ca });
    const stop = add(agent.lend());
    assert.equal(add(agent), stop);
    assert.equal(add(agent.lend().lend()), stop);
    await get(server, { agent });
    assert.equal((await scrape()).sum('pooling_https_agent_requests_total'), 1);
    stop();
    assert.equal((await scrape()).sum(open), 0);
  });

  test(`${system}: the two of createAgents() are one, whichever is given, and the end of one ends no report`, async (t) => {
    const { add, scrape } = await begin(t);
    const [secure, plain] = [await httpsServer(t), await httpServer(t)];
    const pair = createAgents({ ca: secure.ca, name: 'pair' });
    t.after(() => {
      pair.http.destroy();
      pair.https.destroy();
    });
    const stop = add(pair.http);
    assert.equal(add(pair.https), stop);
    assert.equal(add(pair.https.lend()), stop);
    await get(secure, { agent: pair.https });
    await plainGet(plain, pair.http);
    await until(() => pair.http.stats().idle === 2);
    const scraped = await scrape();
    assert.equal(scraped.sum('pooling_https_agent_requests_total'), 2);
    for (const port of [secure.port, plain])
      assert.equal(scraped.sum(open, { server_address: 'localhost', server_port: String(port) }), 1);
    await pair.http.close();
    assert.equal((await scrape()).sum(open), 1);
    stop();
    assert.equal((await scrape()).sum(open), 0);
  });

  test(`${system}: connections of an agent whose stats() throws for a while are not told as gone`, async (t) => {
    const { add, scrape } = await begin(t);
    const agent = pretendAgent('api', { 'a.example:443': hostStats({ active: 2 }) });
    agent.numbers = { active: 2 };
    add(agent);
    assert.equal((await scrape()).sum(open), 2);
    const { stats } = agent;
    agent.stats = () => assert.fail('not now');
    const said = (await scrape()).find(open).filter(({ labels }) => Object.values(labels).includes('active'));
    assert.deepEqual(
      said.filter(({ value }) => value !== 2),
      [],
    );
    agent.stats = stats;
    agent.numbers = {};
    agent.hosts = {};
    assert.equal((await scrape()).sum(open), 0);
  });

  test(`${system}: another maxHosts than before is refused`, async (t) => {
    const { add } = await begin(t);
    add(pretendAgent('one'), 10);
    assert.throws(() => add(pretendAgent('two'), 20), { code: 'ERR_INVALID_ARG_VALUE' });
    add(pretendAgent('two'), 10);
    add(pretendAgent('three'));
  });
}
