/** node-fetch 3. */
import fetch from 'node-fetch';
import type { RequestInit } from 'node-fetch';
import type { Readable } from 'node:stream';
import type { Call, Client } from './client.js';
import { clientSuite } from './suite.js';

/** It has no timeout of its own: its users take a signal for that. An agent may be a function, too. */
function init({ agent, signal, timeout }: Call): RequestInit {
  const aborts = signal ?? (timeout ? AbortSignal.timeout(timeout) : null);
  return { agent: () => agent, signal: aborts as NonNullable<RequestInit['signal']> | null };
}

const nodeFetch: Client = {
  async get(url, call) {
    const response = await fetch(url, init(call));
    return { status: response.status, body: await response.text() };
  },
  async post(url, body, call) {
    const response = await fetch(url, { ...init(call), method: 'POST', body });
    return { status: response.status, body: await response.text() };
  },
  async open(url, call) {
    return (await fetch(url, init(call))).body as Readable;
  },
  traits: {
    aborted: { name: 'AbortError', type: 'aborted' },
    timedOut: { name: 'AbortError', type: 'aborted' },
    timedOutInQueue: { name: 'AbortError', type: 'aborted' },
    followsRedirects: true,
    finishesRedirects: true,
    decompresses: true,
    reportsTruncated: ['content-length', 'chunked'],
    destroyEndsExchange: true,
  },
};

clientSuite('node-fetch 3', nodeFetch);
