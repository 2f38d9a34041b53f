/** Names over dnsmasq, a resolver whose answers change while connections are open. Behind the option `lookup`, and in the place of `dns.lookup`. */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { PoolingAgentOptions } from '../../src/index.js';
import { gatherNext, LIMIT, site, sites } from '../egress/support.js';
import { poolingAgent } from '../support/agent.js';
import { get } from '../support/server.js';
import { until } from '../support/until.js';
import { find, freePort, ServerProcess, temporaryDirectory } from './server-process.js';

const host = 'service.test.localhost';
const [ONE, TWO, THREE] = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const;

const program = find('dnsmasq');
if (!program && process.env['INTEROP'] === 'required') throw new Error('dnsmasq is not installed');
const SKIP = program ? {} : { skip: 'dnsmasq is not installed' };

type Found = (error: Error | null, addresses?: object[] | string, family?: number) => void;
type Lookup = (hostname: string, options: { all?: boolean }, found: Found) => void;

interface Resolver {
  readonly lookup: Lookup;
  /** Queries that it has answered. */
  readonly queries: () => number;
  /** The name has these from now on. */
  change(...addresses: string[]): Promise<void>;
  stop(): Promise<void>;
}

async function startResolver(t: TestContext, ...addresses: string[]): Promise<Resolver> {
  const directory = temporaryDirectory(t);
  const port = await freePort();
  const hosts = join(directory, 'hosts');
  const write = (all: string[]): void => writeFileSync(hosts, all.map((one) => `${one} ${host}\n`).join(''));
  write(addresses);
  const server = await ServerProcess.start(
    t,
    [
      program ?? '',
      '--keep-in-foreground',
      '--log-facility=-',
      '--log-queries',
      '--no-resolv',
      '--no-hosts',
      '--conf-file=/dev/null',
      '--user=',
      '--bind-interfaces',
      '--listen-address=127.0.0.1',
      `--port=${port}`,
      `--addn-hosts=${hosts}`,
      `--pid-file=${join(directory, 'pid')}`,
    ],
    { cwd: directory, port, ready: 'read ' },
  );
  const resolver = new dns.Resolver({ timeout: 5000, tries: 2 });
  resolver.setServers([`127.0.0.1:${port}`]);
  const reads = (): number => server.output.split(/read \S*hosts/).length;
  return {
    lookup: (hostname, { all }, found) =>
      resolver.resolve4(hostname, (error, found4) => {
        if (error) found(Object.assign(error, { code: 'ENOTFOUND' }));
        else if (all)
          found(
            null,
            found4.map((address) => ({ address, family: 4 })),
          );
        else found(null, found4[0], 4);
      }),
    queries: () => server.output.split(`query[A] ${host}`).length - 1,
    change: async (...all) => {
      const before = reads();
      write(all);
      process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')), 'SIGHUP');
      await until(() => reads() > before);
    },
    stop: () => server.stop(),
  };
}

const NODES = dns.lookup;

/** Agents find names by it. */
function patch(t: TestContext, { lookup }: Resolver): void {
  Reflect.set(dns, 'lookup', lookup);
  t.after(() => void Reflect.set(dns, 'lookup', NODES));
}

interface Client {
  ask(): Promise<string>;
  readonly agent: ReturnType<typeof poolingAgent>;
}

function clientOf(
  t: TestContext,
  { ca, port }: { ca: string; port: number },
  options: PoolingAgentOptions & object,
): Client {
  const agent = poolingAgent(t, options as object);
  return { agent, ask: async () => (await get({ ca, port }, { agent, host })).body };
}

async function fill({ ask }: Client, count: number): Promise<string[]> {
  gatherNext(count);
  return Promise.all(Array.from({ length: count }, () => ask()));
}

suite('names over dnsmasq', SKIP, () => {
  test('a cold burst is one query', LIMIT, async (t) => {
    const one = await site(t, ONE);
    const resolver = await startResolver(t, ONE);
    patch(t, resolver);
    const client = clientOf(t, one, { keepAlive: false, dns: { ttl: 60_000 } });
    await fill(client, 50);
    assert.deepEqual([one.accepted(), resolver.queries()], [50, 1]);
  });

  for (const by of ['dns.lookup', 'lookup'] as const) {
    const behind = (t: TestContext, resolver: Resolver): object => {
      if (by === 'lookup') return { lookup: resolver.lookup };
      patch(t, resolver);
      return {};
    };

    suite(`behind ${by}`, () => {
      test('a new connection goes where the name leads now', LIMIT, async (t) => {
        const [one] = await sites(t, ONE, TWO);
        assert.ok(one);
        const resolver = await startResolver(t, ONE);
        const { ask } = clientOf(t, one, { keepAlive: false, dns: { ttl: 0 }, ...behind(t, resolver) });
        assert.equal(await ask(), ONE);
        await resolver.change(TWO);
        assert.equal(await ask(), TWO);
        await resolver.change();
        await assert.rejects(ask(), { code: 'ENOTFOUND' });
        await resolver.change(ONE);
        assert.equal(await ask(), ONE);
      });

      test('connections follow the name', LIMIT, async (t) => {
        const [one, two] = await sites(t, ONE, TWO);
        assert.ok(one && two);
        const resolver = await startResolver(t, ONE);
        const client = clientOf(t, one, {
          idleTimeout: 60_000,
          dns: { ttl: 100, follow: true },
          ...behind(t, resolver),
        });
        await fill(client, 2);
        await resolver.change(TWO);
        await until(() => one.open() === 0);
        assert.equal(client.agent.stats().closed['address-gone'], 2);
        assert.equal(await client.ask(), TWO);
      });

      test('a dead address is tried once, and rotation leaves it out', LIMIT, async (t) => {
        const [one, two] = await sites(t, ONE, TWO);
        assert.ok(one && two);
        const resolver = await startResolver(t, ONE, THREE, TWO);
        const client = clientOf(t, one, {
          keepAlive: false,
          dns: { ttl: 0, rotate: true },
          // Or the next address is tried, too, where a busy machine takes a quarter of a second to connect.
          autoSelectFamilyAttemptTimeout: 5000,
          ...behind(t, resolver),
        });
        for (let i = 0; i < 12; i++) await client.ask();
        assert.deepEqual([one.accepted(), two.accepted()], [6, 6]);
        const addresses = client.agent.stats().hosts?.[`${host}:${one.port}`]?.addresses ?? [];
        assert.equal(addresses.find(({ address }) => address === THREE)?.lastError, 'ECONNREFUSED');
      });
    });
  }

  test('while the resolver is down, an old answer serves for maxStale', LIMIT, async (t) => {
    const one = await site(t, ONE);
    const resolver = await startResolver(t, ONE);
    patch(t, resolver);
    const { ask } = clientOf(t, one, { keepAlive: false, dns: { ttl: 1, maxStale: 60_000 } });
    assert.equal(await ask(), ONE);
    await resolver.stop();
    for (let i = 0; i < 3; i++) assert.equal(await ask(), ONE);
    const strict = clientOf(t, one, { keepAlive: false });
    await assert.rejects(strict.ask(), { code: 'ENOTFOUND' });
  });
});
