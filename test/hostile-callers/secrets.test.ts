/** Private keys, passphrases and tickets stay out of everything that is printed, logged or serialised. */
import assert from 'node:assert/strict';
import { request } from 'node:https';
import type { ClientRequest } from 'node:http';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { format, inspect } from 'node:util';
import vm from 'node:vm';
import createDebug from 'debug';
import { enableDebug, PoolingAgent, SessionCache } from '../../src/index.js';
import type { PoolingAgentOptions, TlsOptions } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { replaceCreateConnection, untilIdle } from '../contract/support.js';
import { certificate } from '../support/certificate.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { warningsDuring } from '../support/warnings.js';

const LIMIT = { timeout: 120_000 };
const PASSPHRASE = 'correct-horse-battery';
const NEXT_PASSPHRASE = 'open-sesame';

/** Parts of the secrets that must not be found in anything. */
async function secrets(): Promise<string[]> {
  const { key } = await certificate();
  return [
    'PRIVATE KEY',
    PASSPHRASE,
    NEXT_PASSPHRASE,
    ...key.split(/\r?\n/).filter((line) => line.length > 20),
  ];
}

async function assertSilent(text: string, what: string): Promise<void> {
  for (const secret of await secrets()) assert.ok(!text.includes(secret), `${what}: ${text.slice(0, 300)}`);
}

function errorOf(provoke: () => unknown): Error & { code?: string } {
  try {
    provoke();
  } catch (error) {
    return error as Error;
  }
  throw new Error('No error');
}

test('errors about options tell the type of what may be secret', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const agent = poolingAgent(t);
  const options = (value: unknown): PoolingAgentOptions => value as PoolingAgentOptions;
  const changes = (value: unknown): TlsOptions => value as TlsOptions;
  const fixed = poolingAgent(t, { secureContext: (await import('node:tls')).createSecureContext() });
  const provoked: Record<string, () => unknown> = {
    'options are a string': () => new PoolingAgent(options(key)),
    'tls is a string': () => new PoolingAgent(options({ tls: key })),
    'tls is async': () => new PoolingAgent(options({ tls: async () => ({ key, passphrase: PASSPHRASE }) })),
    'tls gives a list': () => new PoolingAgent(options({ tls: () => [cert, key, PASSPHRASE] })),
    'tls gives a string': () => new PoolingAgent(options({ tls: () => key + PASSPHRASE })),
    'tls gives a misspelt name': () => new PoolingAgent(options({ tls: () => ({ passphrse: PASSPHRASE }) })),
    'sessionCache is a string': () => new PoolingAgent(options({ sessionCache: PASSPHRASE })),
    'a count is a key': () => new PoolingAgent(options({ maxSockets: key })),
    'a word is a key': () => new PoolingAgent(options({ scheduling: key })),
    'changes are a string': () => agent.updateTls(changes(key)),
    'changes have a misspelt name': () => agent.updateTls(changes({ passphrse: PASSPHRASE })),
    'changes have a value of the wrong type': () => agent.updateTls(changes({ minDHSize: PASSPHRASE })),
    'changes are hidden by a context': () => fixed.updateTls({ passphrase: PASSPHRASE }),
    'a key that is no key': () => agent.updateTls({ key: PASSPHRASE, cert }),
    'a key in a list': () => agent.updateTls(changes({ key: [{ pem: key, passphrase: [PASSPHRASE] }] })),
    'a limit of a host': () => agent.setHostLimits('a.test', { key } as object),
    'a key of an export': () => new SessionCache().export({ key: 123456789 as unknown as string }),
  };
  for (const [what, provoke] of Object.entries(provoked)) {
    const error = errorOf(provoke);
    assert.ok(error.code, what);
    await assertSilent(inspect(error), what);
    assert.doesNotMatch(error.message, /123456789/, what);
  }
});

test('errors about limits still show the value', LIMIT, () => {
  const messages = [
    [() => new PoolingAgent({ maxSockets: -7 }), /-7/],
    [() => new PoolingAgent({ scheduling: 'best' as 'lifo' }), /'best'/],
    [() => new PoolingAgent({ hosts: { 'a.test': { maxSockets: -7 } } }), /-7/],
    [() => new PoolingAgent({ hosts: { 'a b': {} } }), /'a b'/],
  ] as const;
  for (const [provoke, message] of messages) assert.match(errorOf(provoke).message, message);
});

test('a passphrase of the wrong type is not in what Node says about it', LIMIT, async () => {
  const { key, cert } = await certificate();
  const passphrase = 918273645 as unknown as string;
  const error = errorOf(() => new PoolingAgent({ key, cert, passphrase, eagerContext: true }));
  assert.equal(error.code, 'ERR_INVALID_ARG_TYPE');
  assert.doesNotMatch(inspect(error), /918273645/);
});

test('errors of every kind that others throw about the material of a connection', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const nested = new Error('nested', { cause: new Error('outer', { cause: new Error(key) }) });
  const kinds: Record<string, unknown> = {
    'of another realm': vm.runInNewContext('Object.assign(new Error(text), { code: "EREALM" })', {
      text: key,
    }),
    frozen: Object.freeze(Object.assign(new Error(key), { code: 'EFROZEN' })),
    'with causes': nested,
    'of several': new AggregateError([new Error(PASSPHRASE)], 'several'),
    'with the material in a property': Object.assign(new Error('property'), { input: key }),
    'a text': key,
  };
  for (const [kind, error] of Object.entries(kinds)) {
    const agent = poolingAgent(t, { key, cert, passphrase: PASSPHRASE });
    replaceCreateConnection(agent, () => {
      throw error;
    });
    const req = request({ host: 'localhost', port: 443, agent });
    const heard = await new Promise<unknown>((resolve) => req.on('error', resolve).end());
    await assertSilent(inspect(heard, { depth: Infinity, showHidden: true }), kind);
    if (kind !== 'frozen' && kind !== 'a text') assert.equal(heard, error);
    assert.equal((heard as { code?: unknown }).code, (error as { code?: unknown }).code);
    // Callers keep what is theirs.
    assert.equal(agent.options.key, key);
  }
});

test('a warning about the tls function has no secrets', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const { key, cert } = await certificate();
  const warnings = warningsDuring(t);
  const failures: (() => TlsOptions)[] = [
    // A file that holds a passphrase that nobody knows yet.
    () => JSON.parse(NEXT_PASSPHRASE) as TlsOptions,
    () => {
      throw new Error(`Cannot use ${key}`);
    },
    () => {
      throw new Error(`Cannot use ${PASSPHRASE}`);
    },
    () => ({ passphrse: PASSPHRASE }) as TlsOptions,
    () => ({ key: `${PASSPHRASE}-too`, cert }),
    () => {
      // oxlint-disable-next-line no-throw-literal -- the kind that is tested
      throw { toString: () => key };
    },
  ];
  for (const failure of failures) {
    let isGood = true;
    const tls = (): TlsOptions => (isGood ? { ca: server.ca, passphrase: PASSPHRASE } : failure());
    const agent = poolingAgent(t, { tls });
    isGood = false;
    const before = warnings.length;
    await get(server, { agent });
    await until(() => warnings.length > before);
    const text = inspect(warnings.at(-1));
    assert.match(text, /"tls" function failed/);
    await assertSilent(text, String(failure));
  }
});

test('an agent prints counts and limits, in whatever it is printed', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  class Named extends PoolingAgent {}
  const server = await httpsServer(t);
  const agent = new Named({ key, cert, ca: server.ca, passphrase: PASSPHRASE, maxSockets: 3 });
  t.after(() => agent.destroy());
  await get(server, { agent });
  await untilIdle(agent);
  const texts = [
    inspect(agent),
    inspect(agent, { depth: 9, showHidden: true, getters: true }),
    inspect({ agent }),
    inspect([agent], { depth: 9 }),
    format('%o %O %s', agent, agent, agent),
    JSON.stringify(agent),
    JSON.stringify({ agent }),
    inspect(agent._getSession),
    inspect(new SessionCache(), { showHidden: true }),
  ];
  for (const text of texts) await assertSilent(text, text.slice(0, 20));
  const counts = 'Named { hosts: 1, connections: 1, idle: 1, waiting: 0 }';
  assert.equal(inspect(agent), `${counts}\n  localhost:${server.port}: 1 idle`);
  const { connections, idle, maxSockets } = JSON.parse(JSON.stringify(agent)) as Record<string, unknown>;
  assert.deepEqual([connections, idle, maxSockets], [1, 1, 3]);
  // A bare copy has no pool.
  const copy: unknown = Object.create(PoolingAgent.prototype);
  assert.equal(inspect(copy), 'PoolingAgent {}');
  assert.equal(JSON.stringify(copy), '{}');
});

test('a request shows nothing of its agent, nor of its own key, while it waits', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const server = await httpsServer(t, () => {});
  const agent = poolingAgent(t, { key, cert, passphrase: PASSPHRASE, maxSockets: 1 });
  const ask = (): ClientRequest =>
    request({ host: 'localhost', port: server.port, ca: server.ca, key, cert, agent }).on('error', () => {});
  ask().end();
  const waiting = ask();
  waiting.end();
  await until(() =>
    Object.getOwnPropertySymbols(waiting).some(({ description }) => /pending/.test(description ?? '')),
  );
  await assertSilent(inspect(waiting, { depth: 9, showHidden: true }), 'a waiting request');
});

test('the keys of the views have digests, and are found by getName()', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const server = await httpsServer(t);
  const agent = poolingAgent(t);
  const options = {
    host: 'localhost',
    port: server.port,
    ca: [server.ca, server.ca],
    key,
    cert,
    passphrase: PASSPHRASE,
  };
  await get(server, { agent, ...options });
  const names = Object.keys(agent.freeSockets);
  assert.equal(agent.freeSockets[agent.getName(options)]?.length, 1);
  assert.equal(agent.freeSockets[agent.getName({ ...options, key: Buffer.from(key) })]?.length, 1);
  assert.equal(agent.freeSockets[agent.getName({ ...options, key: cert })], undefined);
  assert.ok(names[0]?.startsWith(`localhost:${server.port}:`));
  await assertSilent(names.join(), 'names');
});

test('names stay short with many certificates', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: [server.ca, ...Array.from({ length: 50 }, () => server.ca)] });
  for (const host of ['localhost', 'a.test.localhost', 'b.test.localhost']) {
    await get(server, {
      agent,
      host,
      lookup: (_host, { all }, callback) =>
        all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4),
    });
  }
  const names = Object.keys(agent.freeSockets);
  assert.equal(names.length, 3);
  for (const name of names) assert.ok(name.length < 150, name);
});

/** The pool's debug lines in this test. */
function debugLines(t: TestContext): string[] {
  const lines: string[] = [];
  assert.ok(enableDebug());
  createDebug.log = (...args) => void lines.push(format(...args));
  t.after(() => void (createDebug.log = () => {}));
  return lines;
}

test('debug lines have no secrets and nothing that a terminal cannot print', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const server = await httpsServer(t, (req, res) => (req.url === '/lost' ? req.socket.destroy() : res.end()));
  const lines = debugLines(t);
  const agent = poolingAgent(t, { ca: server.ca, key, cert, passphrase: PASSPHRASE, maxSockets: 1 });
  await Promise.all([get(server, { agent }), get(server, { agent })]);
  await get(server, { agent, path: '/lost' }).catch(() => {});
  await get({ ...server, port: 1 }, { agent }).catch(() => {});
  agent.destroy();
  await until(() => agent.totalSocketCount === 0);
  assert.ok(lines.length >= 5);
  await assertSilent(lines.join('\n'), 'debug lines');
  // oxlint-disable-next-line no-control-regex -- these are what must not be printed
  for (const line of lines) assert.doesNotMatch(line, /[\0-\x08\x0b-\x1a]/);
});
