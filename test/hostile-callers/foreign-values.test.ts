/** Errors need not be objects, and objects need not let themselves be read: whatever users' code throws or calls back arrives as it is, unless it is falsy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:https';
import type { ClientRequest } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { describe, it, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import vm from 'node:vm';
import { LIMIT, replaceCreateConnection, untilIdle } from '../contract/support.js';
import type { Callback } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

const unreadable = {
  get code(): never {
    throw new Error('not to be read');
  },
};
const ABSENT: readonly unknown[] = [undefined, null, '', 0, false];
const VALUES: readonly unknown[] = [
  'text',
  7,
  true,
  Symbol('s'),
  () => {},
  Object.freeze({ code: 'EFROZEN' }),
  unreadable,
  new Proxy({}, { get: () => { throw new Error('not to be read'); } }),
  vm.runInNewContext('Object.assign(new Error("of another realm"), { code: "EREALM" })'),
]; // prettier-ignore

/** The values of the 'error' events of `req`, when it has closed. */
async function errorsOf(req: ClientRequest): Promise<unknown[]> {
  const errors: unknown[] = [];
  req.on('error', (error: unknown) => errors.push(error));
  req.end();
  await new Promise<void>((resolve) => req.on('close', resolve));
  // A second one would come about now.
  await sleep(1);
  return errors;
}

function ask(agent: ReturnType<typeof poolingAgent>, port: number, path = '/'): ClientRequest {
  return request({ host: 'localhost', port, agent, path });
}

describe('what createConnection throws is the error of its request, and of no other', () => {
  for (const [i, value] of VALUES.entries()) {
    it(`${i}: ${typeof value}`, LIMIT, async (t) => {
      const agent = poolingAgent(t, { maxSockets: 1 });
      replaceCreateConnection(agent, () => {
        throw value;
      });
      // The second one waits for the slot of the first.
      const both = await Promise.all([errorsOf(ask(agent, 443)), errorsOf(ask(agent, 443))]);
      for (const errors of both) assert.ok(errors.length === 1 && Object.is(errors[0], value));
      assert.equal(agent.totalSocketCount, 0);
    });
  }
});

describe('a request never ends with something falsy for its error', () => {
  const isFor = (value: unknown, error: unknown): boolean => {
    const { code, reason } = error as { code?: unknown; reason?: unknown };
    return error instanceof Error && code === 'ERR_FALSY_VALUE_REJECTION' && Object.is(reason, value);
  };
  for (const value of ABSENT) {
    const fail = (): never => {
      throw value;
    };
    const url = { host: 'localhost', port: 443 };
    for (const binding of ['eager', 'late'] as const) {
      it(`${JSON.stringify(value)}, ${binding}`, LIMIT, async (t) => {
        const byHosts = poolingAgent(t, { binding, hosts: fail });
        const byProxy = poolingAgent(t, { binding, proxy: fail });
        const byDial = poolingAgent(t, { binding, maxSockets: 1 });
        replaceCreateConnection(byDial, fail);
        for (const agent of [byHosts, byProxy, byDial]) {
          // The second one may wait for the slot of the first.
          for (const errors of await Promise.all([errorsOf(ask(agent, 443)), errorsOf(ask(agent, 443))]))
            assert.ok(errors.length === 1 && isFor(value, errors[0]));
          assert.equal(agent.totalSocketCount, 0);
        }
        for (const agent of [byHosts, byProxy])
          await assert.rejects(agent.preconnect(url), (error) => isFor(value, error));
        const { errors } = await byDial.preconnect(url);
        assert.ok(errors.length === 1 && isFor(value, errors[0]));
      });
    }
  }
});

describe('so is what createConnection, or a lookup, calls back', () => {
  for (const [i, value] of VALUES.entries()) {
    it(`${i}: ${typeof value}`, LIMIT, async (t) => {
      const agent = poolingAgent(t, { maxSockets: 1 });
      replaceCreateConnection(agent, (_options, callback: Callback) => {
        process.nextTick(callback, value);
      });
      const errors = await errorsOf(ask(agent, 443));
      assert.ok(errors.length === 1 && Object.is(errors[0], value));
      assert.equal(agent.totalSocketCount, 0);
    });
  }

  it('what is falsy is no error, and no socket is one', LIMIT, async (t) => {
    const agent = poolingAgent(t, { maxSockets: 1 });
    for (const value of ABSENT) {
      replaceCreateConnection(agent, (_options, callback: Callback) => callback(value as null));
      const [error] = await errorsOf(ask(agent, 443));
      assert.equal((error as { code?: unknown }).code, 'ERR_INVALID_ARG_TYPE');
    }
  });

  it('text from a lookup', LIMIT, async (t) => {
    const agent = poolingAgent(t, { maxSockets: 1 });
    const lookup = (_host: string, _options: object, callback: Callback): void => callback('gone' as never);
    const req = request({ host: 'localhost', port: 443, agent, lookup: lookup as never });
    assert.deepEqual(await errorsOf(req), ['gone']);
    assert.equal(agent.totalSocketCount, 0);
  });
});

test('text that a connection is destroyed with: dialling, in use, reused, idle', LIMIT, async (t) => {
  const server = await httpsServer(t, (req, res) => {
    if (req.url !== '/hang') res.end(req.url);
  });
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  for (const delay of [0, 20]) {
    const req = ask(agent, server.port, '/hang');
    req.on('socket', (socket) => setTimeout(() => socket.destroy('text' as never), delay));
    assert.deepEqual(await errorsOf(req), ['text']);
    assert.equal((await get(server, { agent, path: '/next' })).body, '/next');
    (await untilIdle(agent)).destroy('text' as never);
    await until(() => agent.totalSocketCount === 0);
    await get(server, { agent });
  }
});

test('what checkServerIdentity returns or throws, and what the agent is destroyed with', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  for (const value of ['text', 7, true]) {
    const checkServerIdentity = (): never => value as never;
    const req = request({ host: 'localhost', port: server.port, agent, checkServerIdentity });
    assert.deepEqual(await errorsOf(req), [value]);
  }
  const both = Promise.all([errorsOf(ask(agent, server.port)), errorsOf(ask(agent, server.port))]);
  await once(server.server, 'request');
  agent.destroy('text' as never);
  assert.deepEqual(await both, [['text'], ['text']]);
});

test('an error whose stack does not let itself be read ends what it was meant to end', LIMIT, async (t) => {
  const server = await httpsServer(t, () => {});
  const unprintable = (): Error =>
    Object.defineProperty(new Error(), 'stack', {
      get() {
        throw new Error('not to be read');
      },
    });
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const both = Promise.all([errorsOf(ask(agent, server.port)), errorsOf(ask(agent, server.port))]);
  await once(server.server, 'request');
  const error = unprintable();
  agent.destroy(error);
  const [[first], [second]] = await both;
  assert.equal((first as { code?: unknown }).code, 'ECONNRESET');
  assert.equal(second, error);
  await until(() => agent.totalSocketCount === 0 && server.open() === 0);

  // Node destroys no socket that says an error by itself.
  const req = ask(agent, server.port).on('socket', (socket) => {
    const say = (): void => {
      // Node's client reads it, too.
      assert.throws(() => socket.emit('error', unprintable()), /not to be read/);
    };
    socket.once('secureConnect', () => setImmediate(say));
  });
  await errorsOf(req);
  await until(() => agent.totalSocketCount === 0);
});

test('a Connection header whose text somebody makes up, and throws: no slot is lost', LIMIT, async (t) => {
  let isSent = false;
  const server = await httpsServer(t, (_req, res) => {
    isSent = true;
    res.end();
  });
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const value = {
    toString() {
      if (isSent) throw new Error('not to be read');
      return 'keep-alive';
    },
  };
  const headers = { connection: value as never };
  await get(server, { agent, headers });
  assert.equal((await get(server, { agent })).status, 200);
});

test("what a host's limits are not, because their function throws", LIMIT, async (t) => {
  const agent = poolingAgent(t, {
    hosts: () => {
      // oxlint-disable-next-line no-throw-literal
      throw 'text';
    },
  });
  assert.deepEqual(await errorsOf(ask(agent, 443)), ['text']);
});

describe('a connect that fails at once gives its own error', () => {
  const real = Object.assign(new Error('real'), { code: 'EREAL' });
  const kinds: Record<string, () => Socket> = {
    'before it is handed over': () => new net.Socket().destroy(real),
    'in the next tick': () => {
      const socket = new net.Socket();
      process.nextTick(() => socket.destroy(real));
      return socket;
    },
    'in a microtask': () => {
      const socket = new net.Socket();
      queueMicrotask(() => socket.destroy(real));
      return socket;
    },
  };
  for (const [kind, connect] of Object.entries(kinds)) {
    for (const binding of ['eager', 'late'] as const) {
      it(`${kind}, ${binding}`, LIMIT, async (t) => {
        const agent = poolingAgent(t, { maxSockets: 1, binding });
        replaceCreateConnection(agent, connect);
        const all = await Promise.all([1, 2, 3].map(() => errorsOf(ask(agent, 443))));
        assert.deepEqual(all, [[real], [real], [real]]);
        assert.equal(agent.totalSocketCount, 0);
      });
    }
  }

  it('a path that is too long does not lead to the server whose path is its beginning', LIMIT, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'p-'));
    t.after(() => rmSync(directory, { recursive: true }));
    const path = join(directory, 'x'.repeat(107 - directory.length - 1));
    let connections = 0;
    const server = net.createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    t.after(() => server.close());
    const agent = poolingAgent(t, { maxSockets: 1 });
    const errors = await errorsOf(request({ socketPath: `${path}${'x'.repeat(100)}`, agent }));
    assert.deepEqual(
      errors.map((error) => (error as { code?: unknown }).code),
      ['EINVAL'],
    );
    assert.equal(connections, 0);
  });

  for (const path of [`/no/${'x'.repeat(300)}`, '/no\0where', `\0${'x'.repeat(300)}`]) {
    it(`a path that is refused: ${path.length} characters`, LIMIT, async (t) => {
      const agent = poolingAgent(t, { maxSockets: 1 });
      const send = (): Promise<unknown[]> => errorsOf(request({ socketPath: path, agent }));
      for (const errors of await Promise.all([send(), send()])) {
        assert.equal(errors.length, 1);
        assert.match(String((errors[0] as { code?: unknown }).code), /EINVAL|ENAMETOOLONG/);
      }
    });
  }
});

describe('a stream that only looks like a TLS socket serves, whatever its methods do', () => {
  const methods = ['isSessionReused', 'getCipher', 'getProtocol', 'setNoDelay', 'setKeepAlive', 'ref', 'unref', 'setTimeout', 'isPaused', 'resume', 'address']; // prettier-ignore
  const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=60\r\n\r\nok';

  function stream(): Duplex {
    const duplex: Duplex = new Duplex({
      read() {},
      write(_chunk, _encoding, done) {
        setImmediate(() => duplex.push(ANSWER));
        done();
      },
    });
    return Object.assign(duplex, { connecting: false, secureConnecting: false, encrypted: true });
  }

  const own = Object.entries({
    throwing: () => {
      throw new TypeError('not supported');
    },
    missing: undefined,
    'no function': 7,
  });
  for (const [how, value] of own) {
    it(how, LIMIT, async (t) => {
      for (const method of methods) {
        // Node's own client needs these.
        if (how !== 'throwing' && method === 'resume') continue;
        if (method === 'resume' || method === 'isPaused') continue;
        const agent = poolingAgent(t, { maxSockets: 1 });
        replaceCreateConnection(agent, () => Object.assign(stream(), { [method]: value }));
        for (let i = 0; i < 3; i++) {
          const { body } = await get({ port: 443 } as never, { agent });
          assert.equal(body, 'ok', method);
        }
      }
    });
  }

  for (const property of ['bytesRead', 'bytesWritten', 'remoteAddress', 'remotePort']) {
    it(`a ${property} that cannot be read`, LIMIT, async (t) => {
      const agent = poolingAgent(t, { maxSockets: 1, socketTimeout: 1000 });
      replaceCreateConnection(agent, () =>
        Object.defineProperty(stream(), property, {
          get() {
            throw new TypeError('not supported');
          },
        }),
      );
      assert.equal((await get({ port: 443 } as never, { agent })).body, 'ok');
      assert.equal((await get({ port: 443 } as never, { agent })).body, 'ok');
    });
  }

  for (const property of ['_handle', 'destroyed', 'connecting', 'on']) {
    it(`one whose ${property} cannot be read is refused`, LIMIT, async (t) => {
      const agent = poolingAgent(t, { maxSockets: 1 });
      const error = new TypeError('not supported');
      replaceCreateConnection(agent, () =>
        Object.defineProperty(stream(), property, {
          get() {
            throw error;
          },
        }),
      );
      const req = ask(agent, 443);
      const [got] = await errorsOf(req);
      assert.equal(got, error);
      assert.equal(agent.totalSocketCount, 0);
    });
  }
});
