/** The picture of the README is drawn from bench/figures.json, and that is made of what the bench writes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { loadCase } from '../../bench/cases/index.js';
import type { CaseName } from '../../bench/cases/index.js';

/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);

type Figures = Record<string, { node: string; date: string; values: Record<string, number> }>;

interface Script {
  CHARTS: readonly { key: string; from: { case: CaseName; setting: string; metric: string } }[];
  figuresOf(run: object): Figures;
  draw(figures: Figures): string;
  withDescription(readme: string, figures: Figures): string;
}

const script = (await import(new URL('scripts/draw-figures.mjs', ROOT).href)) as Script;
const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8');
const figures = JSON.parse(read('bench/figures.json')) as Figures;

suite('after npm run figures', () => {
  test('the picture shows the figures', () => {
    assert.equal(read('docs/images/figures.svg'), script.draw(figures));
  });

  test('the README says them in words, too', () => {
    assert.match(read('README.md'), /!\[[^\]]+\]\(docs\/images\/figures\.svg\)/);
    assert.equal(read('README.md'), script.withDescription(read('README.md'), figures));
  });
});

for (const { key, from } of script.CHARTS) {
  test(`the bench measures ${key}`, async () => {
    const bench = await loadCase(from.case);
    const settings = bench.settings({ quick: false, hosts: 1 });
    assert.ok(settings.some(({ name }) => name === from.setting));
    assert.ok(bench.metrics.some((metric) => metric.key === from.metric));
    for (const name of Object.keys(figures[key]?.values ?? {}))
      assert.ok([...bench.contenders, ...(bench.onRequest ?? [])].some((contender) => contender === name));
  });
}

test('figures are medians of rounds, of contenders that were not stopped', () => {
  const [{ key, from } = assert.fail()] = script.CHARTS;
  const rounds = [3, 1, 2].map((value) => ({ [from.metric]: value }));
  const rows = [
    { contender: 'ours', rounds, stopped: false },
    { contender: 'core', rounds, stopped: true },
    { contender: 'zero-pool', rounds, stopped: false },
  ];
  const environment = { node: 'v20.20.0', date: '2026-11-29T01:02:03.004Z' };
  const found = script.figuresOf({
    environment,
    results: [{ case: from.case, settings: [{ setting: from.setting, rows }] }],
  });
  assert.deepEqual(found, { [key]: { node: 'v20.20.0', date: '2026-11-29', values: { ours: 2 } } });
});
