/** The inspector as a server: what it answers, and to whom; what readers cost. The page in a browser is tested in chromium.test.ts. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, RequestOptions, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { inspector } from '../../src/inspect/index.js';
import type { Agents, Inspector, InspectorOptions } from '../../src/inspect/index.js';
import { MAX_READERS } from '../../src/inspect/watch.js';
import { until } from '../support/until.js';
import { hostStats, pretendAgent } from '../support/pretend-agent.js';
import { warningsDuring } from '../support/warnings.js';
import { openStream } from './stream.js';

const FAST: InspectorOptions = { interval: 100 };

function looking(t: TestContext, agents: Agents, options = FAST): Inspector {
  const inspect = inspector(agents, options);
  t.after(() => inspect.close());
  return inspect;
}

async function listening(t: TestContext, agents: Agents, options = FAST): Promise<string> {
  const server = looking(t, agents, options).listen(0);
  // A listening inspector keeps no process alive, nor a test.
  server.ref();
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(url: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const req = request(url, { agent: false, ...options }, (res) => {
      let body = '';
      res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body }));
    });
    req.on('error', reject);
    req.end();
  });
}

test('the page is one file that asks for nothing else, under a policy that lets nothing else in', async (t) => {
  const { status, headers, body } = await ask(await listening(t, pretendAgent('api')));
  assert.equal(status, 200);
  assert.match(String(headers['content-type']), /^text\/html/);
  const policy = String(headers['content-security-policy']);
  assert.match(policy, /default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
  for (const [, element, text] of body.matchAll(/<(script|style)>([^]*?)<\/\1>/g)) {
    const digest = createHash('sha256').update(String(text)).digest('base64');
    assert.ok(policy.includes(`${element}-src 'sha256-${digest}'`), `${element} is allowed`);
  }
  assert.doesNotMatch(body.replaceAll(/<(script|style)>[^]*?<\/\1>/g, ''), /\b(?:src|href)="(?!data:,")/);
  assert.equal(headers['cache-control'], 'no-store, no-transform');
  assert.equal(headers['x-content-type-options'], 'nosniff');
});

test('it is for looking only', async (t) => {
  const url = await listening(t, pretendAgent('api'));
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const { status, headers } = await ask(url, { method });
    assert.equal(status, 405, method);
    assert.equal(headers.allow, 'GET, HEAD');
  }
  assert.equal((await ask(url, { method: 'HEAD' })).body, '');
  assert.equal(
    (await ask(`${url}?events`, { method: 'HEAD' })).headers['content-type'],
    'text/event-stream; charset=utf-8',
  );
});

test('listen() answers only what was asked of this machine by a name of its own', async (t) => {
  const url = await listening(t, pretendAgent('api'));
  const { port, hostname } = new URL(url);
  assert.equal(hostname, '127.0.0.1');
  const statusFor = async (headers: Record<string, string>): Promise<number | undefined> =>
    (await ask(url, { headers })).status;
  for (const host of [
    `localhost:${port}`,
    'localhost',
    `127.0.0.1:${port}`,
    `[::1]:${port}`,
    'LOCALHOST:8080',
  ])
    assert.equal(await statusFor({ host }), 200, host);
  for (const host of [
    `evil.example:${port}`,
    'localhost.evil.example',
    'evil.example#localhost',
    '127.0.0.1.evil.example',
    'localhost@evil.example',
    'localhost:',
    'localhost:80:80',
  ])
    assert.equal(await statusFor({ host }), 403, host);
  const host = `localhost:${port}`;
  const foreign = { host, 'sec-fetch-site': 'cross-site' };
  assert.equal(await statusFor({ ...foreign, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }), 403);
  assert.equal(
    await statusFor({ ...foreign, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }),
    403,
  );
  assert.equal(
    await statusFor({ ...foreign, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }),
    200,
  );
  assert.equal((await ask(`${url}elsewhere`)).status, 404);
});

test('a request without a Host header is not answered', async (t) => {
  const { port } = new URL(await listening(t, pretendAgent('api')));
  const socket = connect(Number(port), '127.0.0.1');
  socket.end('GET / HTTP/1.0\r\n\r\n');
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  assert.match(text, /^HTTP\/1\.1 403 /);
});

test('the handler can be mounted in any server, below any path', async (t) => {
  const inspect = looking(t, pretendAgent('api'));
  const server = createServer(inspect).listen(0, '127.0.0.1');
  t.after(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/internal/pool`;
  assert.match((await ask(url, { headers: { host: 'service.internal' } })).body, /^<!doctype html>/);
  const { next } = await openStream(t, `${url}?events`);
  assert.equal((await next('frame')).data.agents[0].name, 'api');
});

test('readers hear at once how things stand, and then once an interval', async (t) => {
  const agent = pretendAgent('api', { 'a.example:443': hostStats({ active: 2, idle: 1, requests: 7 }) });
  agent.numbers = { active: 2, idle: 1, requests: 7 };
  const url = await listening(t, agent, { interval: 100, title: 'checkout' });
  const { next } = await openStream(t, `${url}?events`);
  const hello = await next();
  assert.equal(hello.event, 'hello');
  const { history, ...rest } = hello.data;
  assert.deepEqual(rest, {
    title: 'checkout',
    pid: process.pid,
    node: process.versions.node,
    interval: 100,
    window: 60_000,
  });
  assert.ok(history['1'].length > 0);
  const first = await next('frame');
  assert.deepEqual(first.data.agents[0].hosts[0].slice(0, 4), ['a.example:443', 0, 2, 1]);
  agent.numbers = { ...agent.numbers, requests: 9 };
  // Another sample may have been taken before that.
  const requests = async (): Promise<unknown> => (await next('frame')).data.agents[0].sample[6];
  for (let seen = await requests(); seen !== 9; seen = await requests()) assert.equal(seen, 7);
});

test('after a break readers get the past that they have missed, and no more', async (t) => {
  const url = await listening(t, pretendAgent('api'));
  const before = await openStream(t, `${url}?events`);
  const { id, data } = await before.next('frame');
  const seen: number = data.agents[0].sample[0];
  await before.next('frame');
  before.close();
  /** When the samples were taken that such a reader gets. */
  const past = async (query: string, headers: Record<string, string> = {}): Promise<number[]> => {
    const stream = await openStream(t, `${url}?events${query}`, headers);
    const { history } = (await stream.next('hello')).data;
    stream.close();
    return history['1'].map(([at]: number[]) => at);
  };
  for (const missed of [await past('', { 'last-event-id': id }), await past(`&after=${id}`)]) {
    assert.ok(missed.length > 0);
    assert.ok(missed.every((at) => at > seen));
  }
  assert.ok((await past('')).includes(seen));
  for (const other of ['0123456789ab-1', 'nonsense', '-', `${id}x`])
    assert.ok((await past('', { 'last-event-id': other })).includes(seen), other);
});

test('without readers nothing is asked about hosts', async (t) => {
  const agent = pretendAgent('api');
  const asked: unknown[] = [];
  const { stats } = agent;
  agent.stats = function record(options) {
    asked.push(options?.hosts);
    return stats.call(this, options);
  };
  looking(t, agent);
  await until(() => asked.length > 2);
  assert.ok(asked.every((hosts) => hosts === false));
});

test('agents may come and go; two of one name are told apart', async (t) => {
  const agents = new Set([pretendAgent('api'), pretendAgent('api'), pretendAgent(undefined)]);
  const url = await listening(t, agents);
  const { next } = await openStream(t, `${url}?events`);
  const names = async (): Promise<string[]> =>
    (await next('frame')).data.agents.map(({ name }: { name: string }) => name);
  assert.deepEqual(await names(), ['api', 'api-2', 'agent']);
  agents.delete([...agents][0] as never);
  agents.add(pretendAgent('late'));
  let seen = await names();
  while (seen.length !== 3 || seen[2] !== 'late') seen = await names();
  assert.deepEqual(seen, ['api', 'agent', 'late']);
});

test('a list of agents that throws shows none, and is told of once', async (t) => {
  const warnings = warningsDuring(t);
  const url = await listening(t, () => {
    throw new Error('not yet');
  });
  const { next } = await openStream(t, `${url}?events`);
  assert.deepEqual((await next('frame')).data.agents, []);
  await next('frame');
  await until(() => warnings.length > 0);
  assert.deepEqual(
    warnings.map(({ message }) => message),
    ["The inspector's function that lists agents failed: not yet"],
  );
});

test('a reader who reads nothing has one frame waiting in memory at most', async (t) => {
  // Some megabytes a frame, so that the system's buffers are soon full.
  const hosts = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`${'x'.repeat(20_000)}${index}:443`, hostStats()]),
  );
  const agent = pretendAgent('api', hosts);
  const inspect = looking(t, agent);
  const responses: ServerResponse[] = [];
  const server = createServer((req, res) => {
    responses.push(res);
    inspect(req, res);
  }).listen(0, '127.0.0.1');
  t.after(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  t.after(() => socket.destroy());
  socket.pause();
  socket.write('GET /?events HTTP/1.1\r\nHost: localhost\r\n\r\n');
  // Bytes in the system's buffers are not ours.
  await until(() => (responses[0]?.writableLength ?? 0) > 0);
  const asked = agent.asked;
  await until(() => agent.asked > asked + 5);
  const waiting = responses[0]?.writableLength ?? 0;
  assert.ok(waiting > 0 && waiting < 5_000_000, `${waiting} bytes wait`);
});

test('there is room for some readers; those who vanish make room for others', async (t) => {
  const url = await listening(t, pretendAgent('api'));
  const streams = await Promise.all(
    Array.from({ length: MAX_READERS }, () => openStream(t, `${url}?events`)),
  );
  const { status, headers } = await ask(`${url}?events`);
  assert.equal(status, 503);
  assert.equal(headers['retry-after'], '10');
  assert.equal((await ask(url)).status, 200);
  streams[0]?.close();
  let later = await openStream(t, `${url}?events`);
  while (later.res.statusCode === 503) later = await openStream(t, `${url}?events`);
  assert.equal((await later.next()).event, 'hello');
});

test('close() ends the streams and the servers, and looks no more', async (t) => {
  const agent = pretendAgent('api');
  const inspect = looking(t, agent);
  const server = inspect.listen(0);
  await once(server, 'listening');
  const { next } = await openStream(t, `http://127.0.0.1:${(server.address() as AddressInfo).port}/?events`);
  await next('frame');
  const closed = once(server, 'close');
  inspect.close();
  await closed;
  await assert.rejects(async () => {
    for (;;) await next();
  }, /ended/);
  const { asked } = agent;
  const other = pretendAgent('other');
  looking(t, other);
  await until(() => other.asked > 2);
  assert.equal(agent.asked, asked);
  inspect.close();
});

test('after close() whatever is asked of a handler that is still mounted is answered, and ends', async (t) => {
  const inspect = looking(t, pretendAgent('api'));
  const server = createServer(inspect).listen(0, '127.0.0.1');
  t.after(() => server.close().closeAllConnections());
  await once(server, 'listening');
  inspect.close();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  // A stream that nobody feeds would keep a server from closing in peace.
  for (const query of ['', '?events']) assert.equal((await ask(url + query)).status, 503, query);
});

test('readers that have left before the handler was called take no slot', async (t) => {
  const inspect = looking(t, pretendAgent('api'));
  let late = 0;
  const server = createServer((req, res) => {
    if (req.url !== '/late?events') return inspect(req, res);
    // As behind an authentication that takes its time.
    res.on('close', () =>
      setImmediate(() => {
        inspect(req, res);
        late++;
      }),
    );
  }).listen(0, '127.0.0.1');
  t.after(() => server.close().closeAllConnections());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let count = 0; count < MAX_READERS; count++) {
    const socket = connect(port, '127.0.0.1', () =>
      socket.end('GET /late?events HTTP/1.1\r\nHost: localhost\r\n\r\n', () => socket.destroy()),
    );
  }
  await until(() => late === MAX_READERS);
  const { res } = await openStream(t, `http://127.0.0.1:${port}/?events`);
  assert.equal(res.statusCode, 200);
});

test('an agent that throws is not shown, and hides no other', async (t) => {
  const warnings = warningsDuring(t);
  const broken = pretendAgent('broken');
  broken.stats = () => {
    throw new Error('no numbers');
  };
  const url = await listening(t, [broken, pretendAgent('api')]);
  const { next } = await openStream(t, `${url}?events`);
  for (let count = 0; count < 2; count++) {
    const { agents } = (await next('frame')).data;
    assert.deepEqual(
      agents.map(({ name }: { name: string }) => name),
      ['api'],
    );
  }
  assert.deepEqual(
    warnings.map(({ message }) => message),
    ["The inspector's agent's stats() failed: no numbers"],
  );
});

test('an agent whose statistics become incomplete is not shown any more, and hides no other', async (t) => {
  const warnings = warningsDuring(t);
  const wrong = pretendAgent('wrong');
  const url = await listening(t, [wrong, pretendAgent('api')]);
  const { next } = await openStream(t, `${url}?events`);
  const shown = async (): Promise<string[]> => {
    const { agents } = (await next('frame')).data;
    return agents.map(({ name }: { name: string }) => name);
  };
  assert.deepEqual(await shown(), ['wrong', 'api']);
  for (const numbers of [
    { handshakes: undefined },
    { timeInQueue: null },
    { hosts: { 'a.example:443': null } },
  ]) {
    const { stats } = pretendAgent('wrong');
    wrong.stats = (options) => ({ ...stats.call(wrong, options), ...numbers }) as never;
    assert.deepEqual(await shown(), ['api']);
    // A reader who comes now.
    const later = await openStream(t, `${url}?events`);
    assert.equal((await later.next('frame')).data.agents.length, 1);
  }
  assert.equal(warnings.length, 1);
});

test('wrong arguments are refused at once', (t) => {
  const wrong: [() => unknown, string][] = [
    [() => inspector(undefined as never), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector('agent' as never), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector({} as never), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector([pretendAgent('a'), {}] as never), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector([], 'title' as never), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector([], ['title'] as never), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector([], { title: 1 as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector([], { interval: '1' as never }), 'ERR_INVALID_ARG_TYPE'],
    [() => inspector([], { interval: 99 }), 'ERR_OUT_OF_RANGE'],
    [() => inspector([], { interval: NaN }), 'ERR_OUT_OF_RANGE'],
    [() => inspector([], { interval: Infinity }), 'ERR_OUT_OF_RANGE'],
    [() => inspector([], { history: 0 }), 'ERR_OUT_OF_RANGE'],
    [() => inspector([], { history: 600_001 }), 'ERR_OUT_OF_RANGE'],
  ];
  for (const [call, code] of wrong) assert.throws(call, { code }, String(call));
  const inspect = looking(t, []);
  for (const port of ['80', '/tmp/socket', {}, null] as never[])
    assert.throws(() => inspect.listen(port), { code: 'ERR_INVALID_ARG_TYPE' });
  for (const port of [-1, 65_536, 1.5, NaN])
    assert.throws(() => inspect.listen(port), { code: 'ERR_OUT_OF_RANGE' });
});

test('after close() there is no listening any more', () => {
  const inspect = inspector(pretendAgent('api'), FAST);
  inspect.close();
  assert.throws(() => inspect.listen(0), { code: 'ERR_INVALID_STATE' });
});
