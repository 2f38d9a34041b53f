// `npm run figures -- [FILE…]`: the picture of the README, docs/images/figures.svg, from bench/figures.json. Each FILE is one that
// `npm run bench -- --json FILE` has written: its figures go into bench/figures.json first. The text that stands in place of the picture in the README
// is written anew, too. One picture serves light and dark pages: it has colours of its own for each, and goes by the reader's scheme.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run } from './lib/run.mjs';

const STORE = join(root, 'bench/figures.json');
const PICTURE = join(root, 'docs/images/figures.svg');
const README = join(root, 'README.md');

/** Names of contenders as readers know them, in the order of the bars. */
const NAMES = {
  core: 'Node’s agent',
  agentkeepalive: 'agentkeepalive',
  undici: 'undici',
  ours: 'pooling-https-agent',
};

const thousands = (value) => Math.round(value).toLocaleString('en');

/** The charts: their values in the results of the bench, and their texts. */
export const CHARTS = [
  {
    key: 'errors',
    from: { case: 'reliability', setting: '10,000 GETs, closed by FIN, no hint', metric: 'errors' },
    title: 'Errors that callers see',
    about: '10,000 GETs, servers close idle connections',
    format: thousands,
  },
  {
    key: 'burst',
    from: { case: 'burst', setting: '200 at once, round trip 0 ms', metric: 'cpu' },
    title: 'CPU of a cold burst',
    about: '200 requests at once, no connection open',
    format: (value) => `${thousands(value)} ms`,
  },
  {
    key: 'connect',
    from: { case: 'connect', setting: '150 CAs, full handshakes', metric: 'cpu' },
    title: 'CPU of a new connection',
    about: '150 certificates in ca, full handshake',
    format: (value) => `${(value / 1000).toLocaleString('en', { maximumFractionDigits: 1 })} ms`,
  },
];

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.floor(sorted.length / 2)]) / 2;
}

/** The charts' figures in the results of a run of the bench, as bench/figures.json holds them; without those of cases that were not run. */
export function figuresOf({ environment, results }) {
  const found = {};
  for (const { key, from } of CHARTS) {
    const rows = results
      .find((result) => result.case === from.case)
      ?.settings.find(({ setting }) => setting === from.setting)?.rows;
    if (!rows) continue;
    const values = Object.keys(NAMES).flatMap((name) => {
      const row = rows.find(({ contender, stopped }) => contender === name && !stopped);
      return row ? [[name, Math.round(median(row.rounds.map((round) => round[from.metric])))]] : [];
    });
    found[key] = {
      node: environment.node,
      date: environment.date.slice(0, 10),
      values: Object.fromEntries(values),
    };
  }
  return found;
}

/** The picture in words. */
export function describe(figures) {
  const sentences = CHARTS.map(({ key, title, about, format }) => {
    const values = bars(figures[key]).map(([name, value]) => `${NAMES[name]} ${format(value)}`);
    return `${title} (${about}): ${values.join(', ')}.`;
  });
  return sentences.join(' ');
}

function bars({ values }) {
  return Object.keys(NAMES).flatMap((name) => (name in values ? [[name, values[name]]] : []));
}

const WIDTH = 960;
const PANEL = { width: 288, gap: 24, left: 24 };
const BAR = { top: 84, height: 14, step: 40 };
/** The width of a value and its unit beside the longest bar. */
const ROOM_FOR_VALUE = 64;

function chart({ key, title, about, format }, index, figures) {
  const x = PANEL.left + index * (PANEL.width + PANEL.gap);
  const all = bars(figures[key]);
  const most = Math.max(...all.map(([, value]) => value));
  const rows = all.map(([name, value], row) => {
    const y = BAR.top + row * BAR.step;
    const length = Math.max(2, Math.round((value / most) * (PANEL.width - ROOM_FOR_VALUE)));
    const kind = name === 'ours' ? 'ours' : 'other';
    return `
    <text class="name" x="${x}" y="${y}">${NAMES[name]}</text>
    <rect class="${kind}" x="${x}" y="${y + 7}" width="${length}" height="${BAR.height}" rx="2"/>
    <text class="value ${kind}-value" x="${x + length + 6}" y="${y + 18}">${format(value)}</text>`;
  });
  return `
  <g>
    <text class="title" x="${x}" y="36">${title}</text>
    <text class="about" x="${x}" y="54">${about}</text>${rows.join('')}
  </g>`;
}

export function draw(figures) {
  const rows = Math.max(...CHARTS.map(({ key }) => bars(figures[key]).length));
  const height = BAR.top + rows * BAR.step + 12;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title about">
  <title id="title">Errors and CPU, compared</title>
  <desc id="about">${describe(figures)} Shorter is better.</desc>
  <style>
    text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #59636e; }
    .page { fill: #ffffff; stroke: #d1d9e0; }
    .title { font-size: 15px; font-weight: 600; fill: #1f2328; }
    .name, .value { fill: #1f2328; }
    .other { fill: #afb8c1; }
    .ours { fill: #0969da; }
    .ours-value { font-weight: 700; fill: #0969da; }
    @media (prefers-color-scheme: dark) {
      text { fill: #9198a1; }
      .page { fill: #0d1117; stroke: #3d444d; }
      .title, .name, .value { fill: #f0f6fc; }
      .other { fill: #656c76; }
      .ours { fill: #4493f8; }
      .ours-value { fill: #4493f8; }
    }
  </style>
  <rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>${CHARTS.map((one, index) => chart(one, index, figures)).join('')}
</svg>
`;
}

/** The README with the words for the picture. */
export function withDescription(readme, figures) {
  return readme.replace(
    /!\[[^\]]*\]\(docs\/images\/figures\.svg\)/,
    () => `![${describe(figures)}](docs/images/figures.svg)`,
  );
}

const isRun = process.argv[1] === fileURLToPath(import.meta.url);
if (isRun) {
  const figures = JSON.parse(readFileSync(STORE, 'utf8'));
  for (const file of process.argv.slice(2))
    Object.assign(figures, figuresOf(JSON.parse(readFileSync(file, 'utf8'))));
  writeFileSync(STORE, `${JSON.stringify(figures, undefined, 2)}\n`);
  writeFileSync(PICTURE, draw(figures));
  writeFileSync(README, withDescription(readFileSync(README, 'utf8'), figures));
  await run(join(root, 'node_modules/.bin/prettier'), ['--log-level', 'warn', '--write', STORE, README]);
  console.log(describe(figures));
}
