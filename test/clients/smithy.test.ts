/** @smithy/node-http-handler: what the AWS SDK sends its requests with. */
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { poolingAgent, waitingCount } from '../support/agent.js';
import type { Call, Client, Reply } from './client.js';
import { clientSuite } from './suite.js';
import { holdingServer, LIMIT, quiet } from './support.js';
import { isPlain } from '../support/protocol.js';
import { until } from '../support/until.js';

const AGENT = isPlain ? 'httpAgent' : 'httpsAgent';

type HttpRequest = Parameters<NodeHttpHandler['handle']>[0];

function httpRequest(method: string, url: string, body?: string | Readable): HttpRequest {
  const { protocol, hostname, port, pathname } = new URL(url);
  const headers = typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
  const request = {
    method,
    protocol,
    hostname,
    port: Number(port),
    path: pathname,
    query: {},
    headers,
    body,
  };
  return { ...request, clone: () => request as HttpRequest };
}

interface Response {
  readonly statusCode: number;
  readonly body: Readable;
}

async function send({ agent, signal, timeout }: Call, request: HttpRequest): Promise<Response> {
  const handler = new NodeHttpHandler({ [AGENT]: agent, throwOnRequestTimeout: true });
  const { response } = await handler.handle(request, {
    ...(signal && { abortSignal: signal }),
    ...(timeout && { requestTimeout: timeout }),
  });
  return response as Response;
}

async function reply(response: Promise<Response>): Promise<Reply> {
  const { statusCode, body } = await response;
  return { status: statusCode, body: await text(body) };
}

const client: Client = {
  get: (url, call) => reply(send(call, httpRequest('GET', url))),
  post: (url, body, call) => reply(send(call, httpRequest('POST', url, body))),
  open: async (url, call) => (await send(call, httpRequest('GET', url))).body,
  traits: {
    aborted: { name: 'AbortError' },
    timedOut: { name: 'TimeoutError', code: 'ETIMEDOUT' },
    timedOutInQueue: { name: 'TimeoutError', code: 'ETIMEDOUT' },
    followsRedirects: false,
    finishesRedirects: true,
    decompresses: false,
    reportsTruncated: ['content-length', 'chunked'],
    destroyEndsExchange: true,
  },
};

clientSuite('@smithy/node-http-handler', client);

// It reads `sockets`, `requests` and `maxSockets`.
describe('@smithy/node-http-handler, warning of a full pool', () => {
  it('counts what is in use and what waits', LIMIT, async (t) => {
    const server = await holdingServer(t);
    const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
    const warnings: string[] = [];
    const logger = { ...console, warn: (message: string) => warnings.push(message) };
    const handler = new NodeHttpHandler({ [AGENT]: agent, logger, socketAcquisitionWarningTimeout: 20 });
    const request = (path: string): Promise<unknown> =>
      handler.handle(httpRequest('GET', server.url + path)).then(({ response }) => text(response.body));

    const active = request('/hold');
    await until(() => server.held.length === 1);
    const waiting = ['/one', '/two'].map(request);
    await until(() => warnings.length > 0);
    assert.equal(waitingCount(agent), 2);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /capacity=1 and 2 additional requests are enqueued/);
    server.held[0]?.end('held');
    assert.equal(await active, 'held');
    assert.deepEqual(await Promise.all(waiting), ['/one', '/two']);
    await quiet(agent);
  });
});
