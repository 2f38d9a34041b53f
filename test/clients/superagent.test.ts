/** superagent. */
import { once } from 'node:events';
import type { EventEmitter } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import superagent from 'superagent';
import type { Request, Response } from 'superagent';
import type { Call, Client } from './client.js';
import { clientSuite } from './suite.js';

function request(method: string, url: string, { agent, signal, timeout }: Call): Request {
  const req = superagent(method, url).agent(agent).buffer(true);
  if (timeout) req.timeout(timeout);
  // Not `() => req.abort()`: that returns the request, a thenable, whose rejection would be the listener's.
  const abort = (): void => void req.abort();
  signal?.addEventListener('abort', abort, { once: true });
  return req;
}

const client: Client = {
  async get(url, call) {
    const { status, text } = await request('GET', url, call);
    return { status, body: text };
  },
  async post(url, body, call) {
    const req = request('POST', url, call);
    const { status, text } = await new Promise<Response>((resolve, reject) => {
      req.on('response', resolve).on('error', reject);
      Readable.from(typeof body === 'string' ? [body] : body).pipe(req);
    });
    return { status, body: text };
  },
  async open(url, call) {
    const req = request('GET', url, call);
    const body = req.pipe(new PassThrough());
    const [response] = (await once(req, 'response')) as [EventEmitter];
    response.on('error', (error: Error) => body.destroy(error));
    return body;
  },
  traits: {
    aborted: { code: 'ABORTED' },
    timedOut: { code: 'ECONNABORTED', errno: 'ETIME' },
    timedOutInQueue: { code: 'ECONNABORTED', errno: 'ETIME' },
    followsRedirects: true,
    finishesRedirects: true,
    decompresses: true,
    reportsTruncated: ['content-length', 'chunked'],
    destroyEndsExchange: false,
  },
};

clientSuite('superagent', client);
