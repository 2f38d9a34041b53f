/** Sessions that outlive the process: what an export holds, and who can read it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createSecretKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SessionCache } from '../../src/index.js';
import type { PoolingAgentOptions } from '../../src/index.js';
import { sealExport } from '../../src/sessions/session-export.js';
import { seal } from '../../src/sessions/seal.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { get, httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import { makeNodeSession } from './sessions.js';

const LIMIT = { timeout: 120_000 };
const KEY = randomBytes(32);

function closingServer(t: TestContext, options: object = {}): Promise<TestServer> {
  return httpsServer(t, (_req, res) => res.setHeader('connection', 'close').end(), options);
}

async function filledCache(
  t: TestContext,
  server: TestServer,
  options: PoolingAgentOptions = {},
): Promise<SessionCache> {
  const sessionCache = new SessionCache();
  await get(server, { agent: poolingAgent(t, { ca: server.ca, sessionCache, ...options }) });
  assert.equal(sessionCache.size, 1);
  return sessionCache;
}

test('another cache resumes what was exported', LIMIT, async (t) => {
  const server = await closingServer(t);
  const cache = await filledCache(t, server);
  for (const key of [KEY, 'a passphrase', createSecretKey(KEY), new Uint8Array(KEY)]) {
    const blob = cache.export({ key });
    const sessionCache = new SessionCache();
    assert.equal(sessionCache.import(blob, { key }), 2, 'tickets');
    const before = server.resumed();
    await get(server, { agent: poolingAgent(t, { ca: server.ca, sessionCache }) });
    assert.equal(server.resumed() - before, 1);
  }
});

test('a new process resumes at once', LIMIT, async (t) => {
  const server = await closingServer(t);
  const cache = await filledCache(t, server);
  const child = fileURLToPath(new URL('resuming-child.js', import.meta.url));
  const blob = cache.export({ key: KEY });
  const settings = {
    port: server.port,
    ca: server.ca,
    blob: blob.toString('base64'),
    key: KEY.toString('base64'),
  };
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(settings)]);
  assert.deepEqual(JSON.parse(stdout), { imported: 2, resumed: [true, true] });
  assert.equal(server.resumed(), 2);
});

test('an export shows nothing of hosts', LIMIT, async (t) => {
  const server = await closingServer(t);
  const cache = await filledCache(t, server);
  const session = cache.peek(cache.ids[0] ?? '');
  assert.ok(session?.includes('localhost'), 'the session itself does name the host');
  const blob = cache.export({ key: KEY });
  for (const text of ['localhost', '127.0.0.1', String(server.port), cache.ids[0] ?? '']) {
    assert.ok(!blob.includes(text), text);
    assert.ok(!blob.includes(Buffer.from(text).toString('base64').slice(0, -4)), text);
  }
  assert.notDeepEqual(cache.export({ key: KEY }), blob, 'no two exports are alike');
});

test('a client certificate is exported only when asked for', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const server = await closingServer(t, { requestCert: true, rejectUnauthorized: false });
  const cache = await filledCache(t, server, { key, cert });
  assert.equal(new SessionCache().import(cache.export({ key: KEY }), { key: KEY }), 0);
  const sessionCache = new SessionCache();
  const blob = cache.export({ key: KEY, includeClientCertificates: true });
  assert.ok(sessionCache.import(blob, { key: KEY }) > 0);
  await get(server, { agent: poolingAgent(t, { ca: server.ca, key, cert, sessionCache }) });
  assert.equal(server.resumed(), 1);
  await get(server, { agent: poolingAgent(t, { ca: server.ca, sessionCache }) });
  assert.equal(server.resumed(), 1, 'nobody without it resumes');
  assert.equal(
    new SessionCache().import(sessionCache.export({ key: KEY }), { key: KEY }),
    2,
    'of the one without',
  );
});

test('what a function decides stays in the process', LIMIT, async (t) => {
  const server = await closingServer(t);
  const cache = await filledCache(t, server, { checkServerIdentity: () => undefined });
  assert.equal(new SessionCache().import(cache.export({ key: KEY }), { key: KEY }), 0);
});

test('every change to an export is refused, and imports nothing', () => {
  const sessions = [makeNodeSession({ issuedAt: Math.floor(Date.now() / 1000), lifetimeHint: 300 })];
  const blob = sealExport([{ id: 'x', clientCertificate: false, sessions }], KEY);
  const cache = new SessionCache();
  const refused = (bytes: Uint8Array, code: string, key: string | Buffer = KEY): void => {
    assert.throws(() => cache.import(bytes, { key }), { code: `ERR_SESSION_IMPORT_${code}` });
    assert.equal(cache.size, 0);
  };
  for (let i = 0; i < blob.length; i++) {
    const changed = Buffer.from(blob);
    changed[i] = (changed[i] ?? 0) ^ 0x40;
    refused(changed, i < 4 ? 'FORMAT' : i === 4 ? 'VERSION' : 'KEY');
  }
  for (let length = 0; length < blob.length; length++) {
    refused(blob.subarray(0, length), length < 49 ? 'FORMAT' : 'KEY');
  }
  refused(Buffer.concat([blob, Buffer.of(0)]), 'KEY');
  refused(blob, 'KEY', randomBytes(32));
  refused(blob, 'KEY', 'a passphrase');
  refused(randomBytes(500), 'FORMAT');
  for (const content of ['', 'null', '{}', '[1]', '[["x",false]]', '[["x",0,[]]]', '[["x",false,[1]]]']) {
    refused(seal(Buffer.from(content), KEY), 'FORMAT');
  }
  refused(seal(Buffer.from('[["x",false,[]],["y"]]'), KEY), 'FORMAT');
  assert.equal(cache.import(blob, { key: KEY }), 1, 'the one that was not changed');
});

test('keys that are none are refused', () => {
  const cache = new SessionCache();
  const refused = (key: unknown, code: string): void => {
    assert.throws(() => cache.export({ key: key as string }), { code });
  };
  refused('', 'ERR_OUT_OF_RANGE');
  refused(randomBytes(15), 'ERR_OUT_OF_RANGE');
  refused(undefined, 'ERR_INVALID_ARG_TYPE');
  refused(12, 'ERR_INVALID_ARG_TYPE');
  assert.throws(() => cache.export(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.throws(() => cache.import('text' as never, { key: KEY }), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('an import keeps the bounds, the order, and what is there already', () => {
  const issuedAt = Math.floor(Date.now() / 1000);
  const session = (ticket: string, lifetimeHint = 300): Buffer =>
    makeNodeSession({ issuedAt, lifetimeHint, ticket });
  const key = (id: string) => ({ id, portable: true, clientCertificate: false });
  const from = new SessionCache();
  for (const id of ['a', 'b', 'c']) from.store(key(id), session(id));
  from.store(key('a'), session('a2'));
  const blob = from.export({ key: KEY });

  const into = new SessionCache({ maxCachedSessions: 2, maxTicketsPerIdentity: 2 });
  const own = session('own');
  into.store(key('a'), own);
  into.import(blob, { key: KEY });
  assert.deepEqual(into.ids, ['c', 'a'], 'the most recently used');
  assert.equal(into.take('a'), own, 'what is there comes first');
  assert.deepEqual(into.take('a'), session('a2'));

  const off = new SessionCache({ maxCachedSessions: 0 });
  assert.equal(off.import(blob, { key: KEY }), 0);
  const late = new SessionCache({ now: () => (issuedAt + 300) * 1000 });
  assert.equal(late.import(blob, { key: KEY }), 0, 'all have expired');
  assert.equal(late.size, 0);
});

test('sessions travel between Nodes that mark them and Nodes that do not', LIMIT, async (t) => {
  // Another Node's sessions look like this here: with the mark where this one has none, or without.
  const server = await closingServer(t);
  const cache = await filledCache(t, server);
  const [id = ''] = cache.ids;
  const mark = Buffer.from('\0nodejs:tls:session:1\0', 'latin1');
  const own = cache.peek(id);
  assert.ok(own);
  const name = Buffer.from('localhost');
  const marked = own.includes(mark)
    ? own.subarray(mark.length + 2 + name.length)
    : Buffer.concat([mark, Buffer.of(0, name.length), name, own]);
  const sessionCache = new SessionCache();
  const blob = sealExport([{ id, clientCertificate: false, sessions: [marked] }], KEY);
  assert.equal(sessionCache.import(blob, { key: KEY }), own.includes(mark) ? 0 : 1);
  await get(server, { agent: poolingAgent(t, { ca: server.ca, sessionCache }) });
  assert.equal(server.resumed(), own.includes(mark) ? 0 : 1);
});
