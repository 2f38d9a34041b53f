/** The page in a real Chromium: it is read, sorted and opened there as people do it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before } from 'node:test';
import type { TestContext } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { inspector } from '../../src/inspect/index.js';
import type { Agents, Inspector } from '../../src/inspect/index.js';
import { find } from '../interop/server-process.js';
import { testWith } from '../interop/real-server.js';
import { hostStats, pretendAgent } from '../support/pretend-agent.js';
import { until } from '../support/until.js';

const testInChromium = testWith('chromium');

let browser: Browser | undefined;

before(async () => {
  const executablePath = find('chromium');
  // Root has no sandbox in most containers, and the page is our own.
  if (executablePath) browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

after(() => browser?.close());

interface View {
  readonly page: Page;
  readonly inspect: Inspector;
  readonly url: string;
  /** The requests of the page. */
  readonly asked: string[];
}

/** Fails if the browser complains about anything: an error, the policy, a file that is missing. */
async function view(
  t: TestContext,
  agents: Agents,
  { width = 1280, dark = false }: { width?: number; dark?: boolean } = {},
): Promise<View> {
  assert.ok(browser);
  const inspect = inspector(agents, { interval: 100, title: 'checkout' });
  const server = inspect.listen(0).ref();
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const page = await browser.newPage({
    viewport: { width, height: 900 },
    colorScheme: dark ? 'dark' : 'light',
  });
  const complaints: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', ({ message }) => complaints.push(message));
  page.on('request', (request) => asked.push(request.url()));
  t.after(async () => {
    await page.close();
    inspect.close();
    assert.deepEqual(complaints, []);
  });
  await page.goto(url);
  await page.waitForSelector('#status[data-state="live"]');
  return { page, inspect, url, asked };
}

function hostNames(page: Page): Promise<string[]> {
  return page.locator('#hosts-table tbody .name').allTextContents();
}

testInChromium('shows at a glance how things are', async (t) => {
  const agent = pretendAgent('api', {
    'busy.example:443': hostStats({ active: 3, idle: 1, waiting: 2, requests: 40, reused: 30, replayed: 5 }),
    'quiet.example:443': hostStats(),
  });
  agent.numbers = {
    active: 3,
    idle: 1,
    waiting: 2,
    requests: 40,
    reused: 30,
    closed: { ...hostStats().closed, 'idle-timeout': 4 },
    timeInQueue: { count: 9, mean: 5, min: 1, max: 40, p50: 4, p90: 30, p99: 39 },
  };
  const { page, asked, url } = await view(t, agent);
  assert.equal(await page.title(), 'checkout');
  assert.equal(
    await page.textContent('#sentence'),
    '4 connections to 1 host. 2 requests wait for busy.example:443.',
  );
  const tiles = await page.locator('.tile').allInnerTexts();
  assert.deepEqual(
    tiles.map((text) => text.split('\n').slice(0, 2)),
    [
      ['Connections', '4'],
      ['Requests per second', '0'],
      ['Waiting', '2'],
      ['Time in queue, p99', '39 ms'],
      ['Time to connect, p99', '–'],
      ['Failed and refused', '0'],
    ],
  );
  assert.match(await page.locator('.tallies').innerText(), /idle-timeout\s+4/);
  assert.equal(await page.locator('.chart canvas').count(), 4);
  const row = page.locator('tr', { hasText: 'busy.example' });
  assert.equal(await row.locator('[data-key="waiting"]').textContent(), '2');
  assert.equal(await row.locator('[data-key="replayed"]').textContent(), '5');
  assert.equal(await row.locator('.mark').getAttribute('data-state'), 'waiting');
  assert.ok(
    asked.every((address) => address.startsWith(url) || address.startsWith('data:')),
    String(asked),
  );
});

testInChromium('is live', async (t) => {
  const agent = pretendAgent('api');
  const { page } = await view(t, agent);
  agent.numbers = { active: 7 };
  await page.waitForSelector('.tile strong:text-is("7")');
  await page.click('#pause');
  agent.numbers = { active: 8 };
  assert.equal(await page.textContent('#status'), 'Paused');
  const { asked } = agent;
  await until(() => agent.asked > asked);
  await page.waitForTimeout(250);
  assert.equal(await page.locator('.tile strong').first().textContent(), '7');
  await page.click('#pause');
  await page.waitForSelector('.tile strong:text-is("8")');
});

testInChromium('names of hosts and agents are text, whatever they look like', async (t) => {
  const names = [
    '<img src=x onerror="globalThis.harm=1">:443',
    '"><script>globalThis.harm=1</script>:443',
    'javascript:globalThis.harm=1',
    '</script><script>globalThis.harm=1</script>:443',
    '__proto__:443',
  ];
  const hosts = Object.fromEntries(names.map((name) => [name, hostStats({ active: 1 })]));
  const agents = [
    pretendAgent('<b onclick=alert(1)>one</b>', hosts),
    pretendAgent('</style><script>globalThis.harm=1</script>'),
  ];
  const { page } = await view(t, agents);
  assert.deepEqual((await hostNames(page)).toSorted(), names.toSorted());
  await page.click('#hosts-table .toggle >> nth=0');
  await page.waitForSelector('.details');
  assert.equal(await page.evaluate('globalThis.harm'), undefined);
  assert.equal(await page.locator('img, b[onclick]').count(), 0);
  assert.equal(await page.locator('script').count(), 1);
});

testInChromium('the table of hosts is sorted and filtered', async (t) => {
  const agent = pretendAgent('api', {
    'host-2.example:443': hostStats({ active: 1, idle: 5, replayed: 1 }),
    'host-10.example:443': hostStats({ active: 9, idle: 0, replayed: 7 }),
    'host-1.example:443': hostStats({ active: 4, idle: 3, replayed: 2 }),
  });
  const { page } = await view(t, agent);
  const order = async (): Promise<string[]> =>
    (await hostNames(page)).map((name) => /\d+/.exec(name)?.[0] ?? '');
  assert.deepEqual(await order(), ['10', '1', '2']);
  await page.click('thead [data-key="idle"] button');
  assert.deepEqual(await order(), ['2', '1', '10']);
  assert.equal(await page.getAttribute('thead [data-key="idle"]', 'aria-sort'), 'descending');
  await page.click('thead [data-key="idle"] button');
  assert.deepEqual(await order(), ['10', '1', '2']);
  // Numbers in names count as numbers.
  await page.click('thead [data-key="host"] button');
  assert.deepEqual(await order(), ['1', '2', '10']);
  await page.click('thead [data-key="replayed"] button');
  assert.deepEqual(await order(), ['10', '1', '2']);
  await page.fill('#filter', 'T-1');
  assert.deepEqual(await order(), ['10', '1']);
  assert.equal(await page.textContent('#hosts-count'), '2 of 3 hosts');
});

testInChromium(
  'of a thousand hosts a hundred are shown, and all of them when that is asked for',
  async (t) => {
    const hosts = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`host-${index}.example:443`, hostStats({ active: index })]),
    );
    const { page } = await view(t, pretendAgent('api', hosts));
    assert.equal((await hostNames(page)).length, 100);
    assert.equal((await hostNames(page))[0], 'host-999.example:443');
    assert.equal(await page.textContent('#more'), 'Show all 1,000');
    await page.click('#more');
    assert.equal((await hostNames(page)).length, 1000);
  },
);

testInChromium('agents are shown together, or one of them', async (t) => {
  const one = pretendAgent('one', { 'a.example:443': hostStats({ active: 2 }) });
  const two = pretendAgent('two', {
    'a.example:443': hostStats({ active: 3 }),
    'b.example:443': hostStats(),
  });
  one.numbers = { active: 2 };
  two.numbers = { active: 3 };
  const { page } = await view(t, [one, two]);
  assert.equal(await page.locator('.tile strong').first().textContent(), '5');
  assert.equal(await page.locator('#hosts-table tbody tr').count(), 3);
  await page.click('#agents button:has-text("two")');
  assert.equal(await page.locator('.tile strong').first().textContent(), '3');
  assert.equal(await page.locator('#hosts-table tbody tr').count(), 2);
});

testInChromium('fits on a phone, in the light and in the dark', async (t) => {
  const hosts = {
    'a-host-with-a-rather-long-name.and-more.internal.example:8443': hostStats({
      active: 12,
      idle: 34,
      waiting: 5,
    }),
  };
  for (const dark of [false, true]) {
    const agent = pretendAgent('api', hosts);
    const { page } = await view(t, [agent, pretendAgent('other')], { width: 400, dark });
    await page.click('#hosts-table .toggle');
    await page.waitForSelector('.details');
    const tooWide = (await page.evaluate(`
      [document.documentElement, ...document.querySelectorAll('.scroll, .details > div')]
        .map(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)
    `)) as number[];
    assert.ok(
      tooWide.every((pixels) => pixels <= 0),
      `${String(tooWide)} pixels too wide`,
    );
    const color = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    assert.equal(Number(/\d+/.exec(color)?.[0]) < 128, dark);
  }
});

testInChromium(
  'the page goes on by itself when the connection was lost, also to another process',
  async (t) => {
    const agent = pretendAgent('api');
    agent.numbers = { active: 1 };
    const { page, inspect, url } = await view(t, agent);
    inspect.close();
    await page.waitForSelector('#status[data-state="lost"]');
    const other = pretendAgent('other');
    other.numbers = { active: 2 };
    const next = inspector(other, { interval: 100, title: 'another' });
    const server = next.listen(Number(new URL(url).port)).ref();
    t.after(() => next.close());
    await once(server, 'listening');
    await page.waitForSelector('#status[data-state="live"]');
    await page.waitForSelector('.tile strong:text-is("2")');
    assert.equal(await page.title(), 'another');
  },
);
