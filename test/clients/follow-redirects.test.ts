/** follow-redirects, that other clients stand on. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import followRedirects from 'follow-redirects';
import type { Call, Client, Reply } from './client.js';
import { clientSuite } from './suite.js';
import { isPlain } from '../support/protocol.js';

function send(
  method: string,
  url: string,
  { agent, signal, timeout }: Call,
  body: string | Readable = '',
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { request } = isPlain ? followRedirects.http : followRedirects.https;
    const req = request(url, { method, agent, signal }, resolve);
    req.on('error', reject);
    if (timeout) req.setTimeout(timeout, () => req.destroy(new Error('too slow')));
    if (typeof body === 'string') req.end(body);
    else body.pipe(req);
  });
}

async function reply(response: Promise<IncomingMessage>): Promise<Reply> {
  const res = await response;
  return { status: res.statusCode ?? 0, body: await text(res) };
}

const client: Client = {
  get: (url, call) => reply(send('GET', url, call)),
  post: (url, body, call) => reply(send('POST', url, call, body)),
  open: (url, call) => send('GET', url, call),
  traits: {
    aborted: { name: 'AbortError', code: 'ABORT_ERR' },
    timedOut: { message: 'too slow' },
    followsRedirects: true,
    finishesRedirects: true,
    decompresses: false,
    reportsTruncated: ['content-length', 'chunked'],
    destroyEndsExchange: true,
  },
};

clientSuite('follow-redirects', client);
