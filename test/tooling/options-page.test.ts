/** docs/options.md has each option of the pool, and says of it what the code does: its default, whether it is live, whether a rule may set it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { resolveLimits } from '../../src/limits/host-limits.js';
import { DEFAULT_DURATIONS, LIVE_LIMITS } from '../../src/options/live-options.js';
import { resolveOptions } from '../../src/options/options.js';
import { resolveTlsOptions } from '../../src/options/tls-options.js';

/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);

interface Facts {
  default: string;
  live: string;
  perHost: string;
}

const FACTS =
  /^Type: (?:`[^`]+`|\S.*?) · Default: (?<default>.+?) · Live: (?<live>.+?) · Per host: (?<perHost>.+)$/;

/** Headings of the page with a line of facts, by the option's name. */
function documented(): Map<string, Facts> {
  const page = readFileSync(new URL('docs/options.md', ROOT), 'utf8');
  const options = new Map<string, Facts>();
  for (const [, name = '', line = ''] of page.matchAll(/^### `(\w+)`\n\n(.*)$/gm)) {
    const { groups } = FACTS.exec(line) ?? assert.fail(`${name}: ${line}`);
    assert.ok(!options.has(name), `${name} has one heading`);
    options.set(name, groups as unknown as Facts);
  }
  return options;
}

/** @returns the default of each option that its doc comment names */
function commented(): Map<string, string> {
  const source = readFileSync(new URL('src/options/options.ts', ROOT), 'utf8');
  const [, body = ''] = /^export interface PoolingAgentOptions [^{]*\{\n([\s\S]*?)^\}/m.exec(source) ?? [];
  const found = body.matchAll(/^ {2}\/\*\*(?<comment>(?:(?!\*\/)[\s\S])*)\*\/\n {2}(?<name>\w+)\?:/gm);
  return new Map(
    [...found].map(({ groups = {} }) => {
      const [, text = ''] =
        /Default: ([\s\S]*?)(?:\.\s|\.?$)/.exec(groups['comment'] ?? '') ??
        assert.fail(`${groups['name']} tells no default`);
      return [groups['name'] ?? '', firstOf(text)];
    }),
  );
}

/** A default is a value in code, perhaps with words behind it; or words. */
function firstOf(text: string): string {
  return /^`([^`]+)`/.exec(text)?.[1] ?? text.trim();
}

/** The defaults that the code tells, as they are written on the page. */
function coded(): Map<string, string> {
  const { limits, dns: _dns, durations, replay, proxy, rules: _rules, ...others } = resolveOptions({});
  const { sessionCache, ...tlsOptions } = resolveTlsOptions({});
  const { random: _random, weight: _weight, reserve: _reserve, ...options } = limits;
  const values = {
    ...options,
    ...durations,
    ...others,
    ...tlsOptions,
    keepAliveTimeoutBuffer: durations.agentKeepAliveTimeoutBuffer,
    maxCachedSessions: sessionCache.maxCachedSessions,
    proxy: proxy.kind === 'direct' ? false : proxy.kind,
  };
  return new Map([
    ...Object.entries(values).map(([name, value]) => [name, written(value)] as const),
    ['replay', `{ max: ${replay.max} }`],
  ]);
}

function written(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

const page = documented();

test('each option of the pool has a heading, and each heading is an option', () => {
  assert.deepEqual([...page.keys()].toSorted(), [...commented().keys()].toSorted());
});

suite('the default on the page', () => {
  test('is that of the comment beside the type', () => {
    const told = [...page].map(([name, facts]) => [name, firstOf(facts.default)] as const);
    assert.deepEqual(new Map(told), new Map(told.map(([name]) => [name, commented().get(name)])));
  });

  test('is that of the code', () => {
    const checked = [...coded()].filter(([name]) => page.has(name));
    assert.ok(checked.length > 25, 'most can be compared');
    for (const [name, value] of checked) assert.equal(firstOf(page.get(name)?.default ?? ''), value, name);
  });
});

test('options that the page calls live are properties that may be set', () => {
  const live = [...page].filter(([, facts]) => facts.live === 'yes').map(([name]) => name);
  const expected = [
    ...LIVE_LIMITS,
    ...Object.keys(DEFAULT_DURATIONS),
    'defaultPort',
    'maxCachedSessions',
    'protocol',
  ];
  assert.deepEqual(live.toSorted(), expected.toSorted());
});

test('options that the page gives to rules are those that rules take', () => {
  const perHost = [...page].filter(([, facts]) => facts.perHost === 'yes').map(([name]) => name);
  const { reserve: _reserve, weight: _weight, ...limits } = resolveLimits({}, resolveOptions({}).limits);
  assert.deepEqual(perHost.toSorted(), [...Object.keys(limits), 'proxy'].toSorted());
});

test('the table at the head of the page links to each', () => {
  const text = readFileSync(new URL('docs/options.md', ROOT), 'utf8');
  const linked = new Set([...text.matchAll(/\[`(\w+)`\]\(#\w+\)/g)].map(([, name = '']) => name));
  const missing = [...page.keys()].filter(
    (name) => !linked.has(name) && name !== 'agentKeepAliveTimeoutBuffer',
  );
  assert.deepEqual(missing, []);
});
