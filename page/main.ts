/** Puts the page together: what comes is taken into the model, and the model is shown. */
import { Chart } from './charts.js';
import type { ChartOptions } from './charts.js';
import { Details } from './details.js';
import { byId, element, setData, setText } from './dom.js';
import { FeedClient } from './feed-client.js';
import type { Opened } from './feed-client.js';
import { count, duration, rate } from './format.js';
import { HostTable } from './hosts.js';
import { Model } from './model.js';
import type { Host, Selection } from './model.js';
import { sentence } from './sentence.js';
import { Tallies } from './tallies.js';
import { Tiles } from './tiles.js';

const CHARTS: readonly ChartOptions[] = [
  {
    title: 'Connections',
    hint: 'Connections by state, on top of each other',
    isStacked: true,
    isWhole: true,
    curves: [
      { label: 'active', color: '--active', values: ({ active }) => active, format: count },
      { label: 'idle', color: '--idle', values: ({ idle }) => idle, format: count },
      { label: 'opening', color: '--connecting', values: ({ connecting }) => connecting, format: count },
      { label: 'closing', color: '--closing', values: ({ closing }) => closing, format: count },
    ],
  },
  {
    title: 'Queue',
    hint: 'Requests that wait; and the mean wait of those that left the queue in the last interval',
    isStacked: false,
    isWhole: true,
    curves: [
      { label: 'waiting', color: '--waiting', values: ({ waiting }) => waiting, format: count },
      { label: 'mean wait', color: '--time', values: ({ wait }) => wait, format: duration, isRight: true },
    ],
  },
  {
    title: 'Requests per second',
    hint: 'Requests by their connection: one that had served before, or a new one. Those that wait count as on a new one',
    isStacked: true,
    isWhole: false,
    curves: [
      { label: 'on a used connection', color: '--active', values: ({ reused }) => reused, format: rate },
      { label: 'on a new one', color: '--connecting', values: ({ fresh }) => fresh, format: rate },
    ],
  },
  {
    title: 'Handshakes per second',
    hint: 'TLS handshakes: those that resumed a session are cheaper',
    isStacked: true,
    isWhole: false,
    curves: [
      { label: 'resumed', color: '--resumed', values: ({ resumed }) => resumed, format: rate },
      { label: 'full', color: '--full', values: ({ full }) => full, format: rate },
    ],
  },
];

const model = new Model();
const charts = CHARTS.map((options) => new Chart(options));
const tiles = new Tiles(byId('tiles'));
const tallies = new Tallies();
const details = new Details();
byId('charts').append(...charts.map(({ node }) => node), tallies.node);

let selection: Selection = 'all';
let opened: (Opened & { key: string }) | undefined;
let isPaused = false;

const hosts = new HostTable(
  byId('hosts-table'),
  byId('hosts-count'),
  byId<HTMLInputElement>('filter'),
  byId<HTMLButtonElement>('more'),
  toggle,
);

const client = new FeedClient({
  hello(hello, isContinued) {
    model.welcome(hello, isContinued);
    if (!isContinued) selection = 'all';
    document.title = hello.title;
    setText(byId('title'), hello.title);
    setText(byId('process'), `Node.js ${hello.node}, process ${hello.pid}`);
    tell('live');
  },
  frame(frame) {
    model.take(frame);
    if (!isPaused) show();
  },
  lost: () => tell('lost'),
});

const STATUS = { connecting: 'Connecting', live: 'Live', paused: 'Paused', lost: 'Not connected' } as const;
let connection: 'connecting' | 'live' | 'lost' = 'connecting';

function tell(state: typeof connection): void {
  connection = state;
  const shown = state === 'live' && isPaused ? 'paused' : state;
  const status = byId('status');
  setData(status, 'state', shown);
  setText(status, STATUS[shown]);
}

function show(): void {
  if (selection !== 'all' && model.selected(selection).length === 0) selection = 'all';
  const series = model.series(selection);
  const rows = model.hosts(selection);
  showAgents();
  setText(byId('sentence'), sentence(model, selection, rows));
  tiles.show(model, selection, series);
  const span = (model.hello?.window ?? 300_000) / 1000;
  for (const chart of charts) chart.show(series, span);
  tallies.show(model, selection);
  hosts.show(rows, selection === 'all' && model.agents.length > 1);
  showDetails();
}

function showDetails(): void {
  if (!opened) return;
  // The host that it was opened for is gone, or belongs to another agent.
  if (!hosts.has(opened.key)) {
    hosts.open(undefined, details.node);
    return;
  }
  hosts.open(opened.key, details.node);
  const given = model.details;
  details.show(given?.agent === opened.agent && given.host === opened.host ? given : undefined);
}

function toggle({ agent, key, name }: Host): void {
  opened = opened?.key === key ? undefined : { agent: agent.id, host: name, key };
  model.details = undefined;
  details.show(undefined);
  hosts.open(opened?.key, details.node);
  client.open(opened);
}

const choices = new Map<Selection, HTMLButtonElement>();

function showAgents(): void {
  const nav = byId('agents');
  nav.hidden = model.agents.length < 2;
  if (nav.hidden) return;
  const wanted: [Selection, string][] = [
    ['all', 'All agents'],
    ...model.agents.map(({ id, name }) => [id, name] as [Selection, string]),
  ];
  const known = new Set(wanted.map(([choice]) => choice));
  for (const [choice, button] of choices) {
    if (known.has(choice)) continue;
    button.remove();
    choices.delete(choice);
  }
  for (const [choice, label] of wanted) {
    let button = choices.get(choice);
    if (!button) {
      button = element('button', { type: 'button' });
      button.addEventListener('click', () => {
        selection = choice;
        show();
      });
      choices.set(choice, button);
      nav.append(button);
    }
    setText(button, label);
    button.setAttribute('aria-pressed', String(choice === selection));
  }
}

byId('pause').addEventListener('click', () => {
  isPaused = !isPaused;
  byId('pause').setAttribute('aria-pressed', String(isPaused));
  setText(byId('pause'), isPaused ? 'Resume' : 'Pause');
  tell(connection);
  if (!isPaused) show();
});

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const chart of charts) chart.repaint();
});

client.open(undefined);
