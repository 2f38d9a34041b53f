/** The members of an agent that http.ClientRequest reads, and its expectations of `addRequest`. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket } from 'node:net';
import * as http from 'node:http';
import { DEFAULT_PORT, nodes as https, OTHER_PROTOCOL, PoolingAgent, PROTOCOL } from '../support/protocol.js';
import { test } from 'node:test';
import { get, httpsServer } from '../support/server.js';
import { poolingAgent } from '../support/agent.js';
import { LIMIT, forBoth, send } from './support.js';
import { until } from '../support/until.js';
import type { NodeAgent } from './support.js';

/** An agent to build requests with, that lets the test call `addRequest` itself. */
function collector(): http.Agent & { requests: http.ClientRequest[] } {
  const requests: http.ClientRequest[] = [];
  const addRequest = (req: http.ClientRequest): unknown => requests.push(req);
  return { protocol: PROTOCOL, defaultPort: 443, keepAlive: true, addRequest, requests } as never;
}

function bareRequest(path = '/'): http.ClientRequest {
  const req = http.request({ protocol: PROTOCOL, host: 'localhost', path, agent: collector() });
  req.end();
  return req;
}

async function bodyOf(req: http.ClientRequest): Promise<string> {
  const [res] = (await once(req, 'response')) as [http.IncomingMessage];
  return (await res.setEncoding('utf8').toArray()).join('');
}

forBoth('`protocol` is that of the agent, and a request for another one is refused', ({ agent: make }) => {
  const agent = make();
  assert.equal(agent.protocol, PROTOCOL);
  assert.throws(() => http.request({ protocol: OTHER_PROTOCOL, agent }), { code: 'ERR_INVALID_PROTOCOL' });
});

forBoth('`defaultPort` is the port of a request that names none', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const agent = make({ ca: server.ca });
  assert.equal(agent.defaultPort, DEFAULT_PORT);
  agent.defaultPort = server.port;
  const req = http.get({ protocol: PROTOCOL, host: 'localhost', path: '/here', agent });
  assert.equal(await bodyOf(req), '/here');
});

test('`defaultPort` and `protocol` are taken from the options on every Node', LIMIT, async (t) => {
  const server = await httpsServer(t);
  const options = { ca: server.ca, defaultPort: server.port, protocol: 'test:' };
  const agent = poolingAgent(t, options);
  assert.equal(agent.protocol, 'test:');
  const req = http.get({ protocol: 'test:', host: 'localhost', path: '/here', agent });
  assert.equal(await bodyOf(req), '/here');
});

forBoth('`keepAlive` and `maxSockets` decide the Connection header', ({ agent: make }) => {
  const agent = make({ keepAlive: false });
  // Nobody answers, and nobody has to: the header is written before anything is dialled.
  Reflect.set(agent, 'createConnection', () => undefined);
  const header = (): unknown => {
    const req = https.request({ host: 'localhost', agent });
    const { shouldKeepAlive } = req;
    req.on('error', () => {}).destroy();
    return shouldKeepAlive;
  };
  assert.equal(header(), false);
  agent.maxSockets = 5;
  assert.equal(header(), true);
  agent.maxSockets = Infinity;
  agent.keepAlive = true;
  assert.equal(header(), true);
});

forBoth("the agent's `timeout` makes requests emit 'timeout'", async ({ t, agent: make }) => {
  const server = await httpsServer(t, () => {});
  const { req } = send(server, { agent: make({ timeout: 20 }) });
  await once(req, 'timeout');
  req.destroy();
});

forBoth('`agent: false` makes an agent of the same class for this one request', async (bench) => {
  const server = await httpsServer(bench.t);
  const { globalAgent } = https;
  bench.t.after(() => (https.globalAgent = globalAgent));
  https.globalAgent = bench.agent();
  const { body, req } = await get(server, { agent: false, path: '/once' });
  const { agent } = req as http.ClientRequest & { agent: NodeAgent };
  bench.t.after(() => agent.destroy());
  assert.equal(body, '/once');
  assert.equal(agent.constructor, bench.ours ? PoolingAgent : https.Agent);
  assert.notEqual(agent, https.globalAgent);
  // Nobody will ever use its connection again.
  await until(() => agent.totalSocketCount === 0);
});

forBoth('`addRequest(req, options)`', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const req = bareRequest('/options');
  make({ ca: server.ca }).addRequest(req, { host: 'localhost', port: server.port });
  assert.equal(await bodyOf(req), '/options');
});

forBoth('`addRequest(req, host, port, localAddress)`: the old form', async ({ t, agent: make }) => {
  const server = await httpsServer(t, (req, res) => res.end(req.socket.remoteAddress));
  const req = bareRequest();
  make({ ca: server.ca }).addRequest(req, 'localhost', server.port, '127.0.0.2');
  assert.equal(await bodyOf(req), '127.0.0.2');
});

forBoth('`req.onSocket` is called once, with a socket or with an error', async ({ t, agent: make }) => {
  const server = await httpsServer(t);
  const answers: unknown[][] = [];
  const ask = async (agent: NodeAgent): Promise<void> => {
    const req = bareRequest();
    const { onSocket } = req;
    const closed = new Promise((resolve) => req.once('close', resolve));
    req.onSocket = (...args: unknown[]) => {
      answers.push(args);
      Reflect.apply(onSocket, req, args);
    };
    req.on('error', () => {}).on('response', (res) => res.resume());
    agent.addRequest(req, { host: 'localhost', port: server.port });
    await closed;
  };

  await ask(make({ ca: server.ca }));
  assert.equal(answers.length, 1);
  assert.ok(answers[0]?.[0] instanceof Socket);

  const refusing = make();
  const error = new Error('no');
  Reflect.set(refusing, 'createConnection', (_: object, callback: (error: Error) => void) => {
    setImmediate(callback, error);
  });
  await ask(refusing);
  assert.equal(answers.length, 2);
  // Nothing, and that may be null or undefined.
  assert.equal(answers[1]?.[0] ?? null, null);
  assert.equal(answers[1]?.[1], error);
});
