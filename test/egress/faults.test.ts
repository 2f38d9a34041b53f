/** Proxies that misbehave, at each step: each request ends once, in time, with an error that has a code and names the proxy, and nothing is left open. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { describe, it } from 'node:test';
import type { Socket } from 'node:net';
import '../support/audit.js';
import { LIMIT, send } from '../contract/support.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { proxyServer } from '../support/proxy-server.js';
import type { Asked, ProxySettings } from '../support/proxy-server.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';

interface Fault {
  readonly proxy: ProxySettings;
  readonly code: string | RegExp;
  readonly message?: RegExp;
  readonly fields?: object;
}

function answers(text: string): ProxySettings {
  return { answer: ({ socket }) => void socket.write(text) };
}

const reset = ({ socket }: Pick<Asked, 'socket'>): void => void socket.resetAndDestroy();

const FAULTS: Record<string, Fault> = {
  'closes before it is asked': {
    proxy: { accept: (socket) => socket.end() },
    code: /ERR_PROXY_TUNNEL|ECONNRESET|EPIPE/,
  },
  'resets before it is asked': {
    proxy: { accept: (socket) => void socket.resetAndDestroy() },
    code: /ERR_PROXY_TUNNEL|ECONNRESET|EPIPE/,
  },
  'closes when it is asked': {
    proxy: { answer: ({ socket }) => socket.end() },
    code: 'ERR_PROXY_TUNNEL',
    message: /ended unexpectedly/,
  },
  'resets when it is asked': { proxy: { answer: reset }, code: 'ECONNRESET' },
  'closes within its answer': {
    proxy: { answer: ({ socket }) => socket.end('HTTP/1.1 200 Conn') },
    code: 'ERR_PROXY_TUNNEL',
    message: /ended unexpectedly/,
  },
  refuses: {
    proxy: answers('HTTP/1.1 403 Not you\r\nContent-Length: 2\r\n\r\nno'),
    code: 'ERR_PROXY_TUNNEL',
    message:
      /^Failed to establish tunnel to localhost:\d+ via http:\/\/127\.0\.0\.1:\d+: HTTP\/1\.1 403 Not you$/,
    fields: { statusCode: 403, statusText: 'Not you' },
  },
  'wants credentials': {
    proxy: answers(
      'HTTP/1.1 407 Who?\r\nproxy-authenticate: Negotiate\r\nProxy-Authenticate: Basic realm="a"\r\n\r\n',
    ),
    code: 'ERR_PROXY_TUNNEL',
    message: /wants credentials, and was given none: it wants Negotiate or Basic\)$/,
    fields: { statusCode: 407, statusText: 'Who?' },
  },
  'speaks something else': {
    proxy: answers('SSH-2.0-OpenSSH\r\n\r\n'),
    code: 'ERR_PROXY_TUNNEL',
    message: /: SSH-2\.0/,
  },
  'switches protocols': {
    proxy: answers('HTTP/1.1 101 Yes\r\n\r\n'),
    code: 'ERR_PROXY_TUNNEL',
    fields: { statusCode: 101 },
  },
  'answers with bytes that print badly': {
    proxy: answers('HTTP/1.1 502 \x1b[31mred\x07\xff\r\n\r\n'),
    code: 'ERR_PROXY_TUNNEL',
    message: /502 \?\[31mred\?+$/,
  },
  'never ends its head': {
    proxy: { answer: ({ socket }) => void socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}`) },
    code: 'ERR_PROXY_TUNNEL',
    message: /headers exceeded/,
  },
  'closes the tunnel within the TLS handshake': {
    proxy: { answer: ({ socket }) => socket.end('HTTP/1.1 200 OK\r\n\r\n') },
    code: 'ECONNRESET',
  },
  'sends garbage behind its answer': {
    proxy: answers('HTTP/1.1 200 OK\r\n\r\nthis is no TLS at all, it is text'),
    code: /^(?:EPROTO|ERR_SSL_\w+)$/,
  },
};

for (const protocol of ['http', 'https'] as const) {
  for (const [what, { proxy: settings, code, message, fields }] of Object.entries(FAULTS)) {
    // Only the system's own sockets can be reset.
    if (protocol === 'https' && what.startsWith('resets')) continue;
    it(`an ${protocol} proxy ${what}`, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const { cert } = await certificate();
      const proxy = await proxyServer(t, { protocol, ...settings });
      const agent = poolingAgent(t, {
        ca: server.ca,
        maxSockets: 1,
        connectTimeout: 3000,
        proxy: { url: proxy.url, tls: { ca: cert } },
      });
      const sent = [send(server, { agent }), send(server, { agent })];
      for (const { closed, errors, events } of sent) {
        await closed;
        assert.deepEqual(events, ['error', 'close']);
        const [error] = errors;
        assert.match(String(error?.code), typeof code === 'string' ? new RegExp(`^${code}$`) : code);
        if (message && protocol === 'http') assert.match(error?.message ?? '', message);
        for (const [name, value] of Object.entries(fields ?? {}))
          assert.equal(Reflect.get(error as Error, name), value);
      }
      await until(() => agent.totalSocketCount === 0 && proxy.open() === 0);
    });
  }
}

describe('answers that are good', () => {
  const GOOD: Record<string, (asked: Asked) => void> = {
    'in pieces': (asked) => {
      const { socket } = asked;
      socket.setNoDelay(true);
      const pieces = ['HT', 'TP/1.1 200', ' OK\r\nA: b\r', '\n\r'];
      const next = (): void => {
        const piece = pieces.shift();
        if (piece === undefined) asked.open('\n');
        else socket.write(piece, () => setTimeout(next, 5));
      };
      next();
    },
    'behind an interim one': (asked) => {
      asked.open('HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n');
    },
    'without a reason': (asked) => asked.open('HTTP/1.0 200\r\n\r\n'),
    'of another kind': (asked) => asked.open('HTTP/1.1 204 No Content\r\n\r\n'),
    'with a length that means nothing': (asked) =>
      asked.open('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'),
  };
  for (const [what, answer] of Object.entries(GOOD)) {
    it(what, LIMIT, async (t) => {
      const server = await httpsServer(t);
      const proxy = await proxyServer(t, { answer });
      const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
      assert.equal((await get(server, { agent, path: '/1' })).body, '/1');
    });
  }
});

describe('time', () => {
  const never = (socket: Socket): void => void socket;
  const PHASES = [
    ['tunnel', 'http', {}],
    ['tunnel', 'https', {}],
    ['proxySecureConnect', 'https', { mute: true }],
    ['proxyConnect', 'http', { lost: true }],
  ] as const;
  for (const [phase, protocol, { mute, lost }] of PHASES.map(
    ([a, b, c]) => [a, b, c as { mute?: true; lost?: true }] as const,
  )) {
    for (const whose of ['agent', 'proxy'] as const) {
      it(`the connectTimeout of the ${whose}, phase '${phase}', ${protocol}`, LIMIT, async (t) => {
        const server = await httpsServer(t);
        const { cert } = await certificate();
        const proxy = await proxyServer(t, mute ? { accept: never } : { protocol, answer: () => {} });
        const url = mute ? proxy.url.replace('http:', 'https:') : proxy.url.replace('127.0.0.1', 'localhost');
        const agent = poolingAgent(t, {
          ca: server.ca,
          connectTimeout: whose === 'agent' ? 200 : 5000,
          proxy: { url, tls: { ca: cert }, ...(whose === 'proxy' && { connectTimeout: 200 }) },
          ...(lost && { lookup: () => {} }),
        });
        const sent = send(server, { agent });
        await sent.closed;
        assert.deepEqual(sent.events, ['error', 'close']);
        assert.equal(sent.errors[0]?.code, 'ETIMEDOUT');
        assert.equal(Reflect.get(sent.errors[0] as Error, 'phase'), phase);
        assert.equal(agent.stats().failed[phase], 1);
        await until(() => agent.totalSocketCount === 0 && proxy.open() === 0);
      });
    }
  }

  it('the timeout of a request ends its tunnel', LIMIT, async (t) => {
    const server = await httpsServer(t);
    const proxy = await proxyServer(t, { answer: () => {} });
    const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
    const sent = send(server, { agent, timeout: 50 });
    let timeouts = 0;
    sent.req.on('timeout', () => timeouts++);
    await sent.closed;
    assert.deepEqual(sent.events, ['error', 'close']);
    assert.equal(sent.errors[0]?.code, 'ERR_PROXY_TUNNEL');
    assert.equal(Reflect.get(sent.errors[0] as Error, 'proxyTunnelTimeout'), 50);
    assert.equal(timeouts, 1);
    await until(() => proxy.open() === 0);
  });

  it('a timeout of a request holds on its tunnelled connection, too', LIMIT, async (t) => {
    const server = await httpsServer(t, () => {});
    const proxy = await proxyServer(t);
    const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
    const sent = send(server, { agent, timeout: 100 });
    sent.req.on('timeout', () => sent.req.destroy(new Error('too late')));
    await sent.closed;
    assert.equal(sent.errors[0]?.message, 'too late');
  });
});

it('nobody listens where the proxy should be', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const agent = poolingAgent(t, { ca: server.ca, proxy: 'http://127.0.0.1:1' });
  const sent = send(server, { agent });
  await sent.closed;
  assert.equal(sent.errors[0]?.code, 'ECONNREFUSED');
  assert.equal(Reflect.get(sent.errors[0] as Error, 'proxy'), '127.0.0.1:1');
  assert.equal(agent.stats().failed.proxyConnect, 1);
});

it('errors of code of others come through as they are, whatever they are', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const { cert } = await certificate();
  const proxy = await proxyServer(t, { protocol: 'https' });
  const frozen = Object.freeze(Object.assign(new Error('frozen'), { code: 'EFROZEN' }));
  const closed = new Proxy(new Error('closed'), {
    set() {
      throw new Error('no');
    },
  });
  const endedWith = async (options: object): Promise<unknown> => {
    const sent = send(server, { agent: poolingAgent(t, { ca: server.ca, ...options }) });
    await sent.closed;
    assert.deepEqual(sent.events, ['error', 'close']);
    return sent.errors[0];
  };
  for (const error of [frozen, closed, 'a text']) {
    const lookup = (_host: string, _options: object, callback: (error: unknown) => void): void =>
      void setImmediate(callback, error);
    assert.equal(await endedWith({ proxy: 'http://proxy.test', lookup }), error);
    const tls = { ca: cert, checkServerIdentity: () => error as Error };
    assert.equal(await endedWith({ proxy: { url: proxy.url, tls } }), error);
  }
  const headers = (): never => {
    // oxlint-disable-next-line no-throw-literal -- code of others throws anything
    throw undefined;
  };
  const { code } = (await endedWith({ proxy: { url: proxy.url, tls: { ca: cert }, headers } })) as {
    code?: string;
  };
  assert.equal(code, 'ERR_PROXY_TUNNEL');
});

it('a session is not lost by a tunnel that fails', LIMIT, async (t) => {
  const server = await httpsServer(t);
  let refuses = false;
  const proxy = await proxyServer(t, {
    answer: (asked) => {
      if (refuses) asked.socket.end('HTTP/1.1 503 Busy\r\n\r\n');
      else asked.open();
    },
  });
  const agent = poolingAgent(t, { ca: server.ca, maxRequestsPerSocket: 1, proxy: proxy.url });
  await get(server, { agent });
  for (refuses = true; proxy.asked.length < 6;)
    await assert.rejects(get(server, { agent }), { statusCode: 503 });
  refuses = false;
  await get(server, { agent });
  assert.equal(server.resumed(), 1);
});

it('bytes behind its answer that are no TLS fail the request, and are asked for once', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t, answers('HTTP/1.1 200 OK\r\n\r\n502 Bad Gateway, says another proxy'));
  for (const binding of ['eager', 'late'] as const) {
    const agent = poolingAgent(t, { ca: server.ca, binding, proxy: proxy.url });
    await assert.rejects(get(server, { agent }), { code: /ERR_SSL|EPROTO/ });
    assert.equal(proxy.asked.splice(0).length, 1);
    await until(() => agent.stats().failed.secureConnect === 1);
  }
});

it('a request of other code that closes ends the tunnel that is opened for it', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const proxy = await proxyServer(t, { answer: () => {} });
  const agent = poolingAgent(t, { ca: server.ca, proxy: proxy.url });
  const req = new EventEmitter();
  const answered = new Promise<unknown>((resolve) => {
    const options = { host: 'localhost', port: server.port };
    (agent as unknown as Opener).createSocket(req, options, resolve);
  });
  await until(() => proxy.asked.length === 1);
  req.emit('close');
  assert.equal(((await answered) as { code?: string }).code, 'ECONNRESET');
  await until(() => proxy.open() === 0);
});

interface Opener {
  createSocket(req: object, options: object, callback: (error: unknown) => void): void;
}
