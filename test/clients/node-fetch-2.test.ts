/** node-fetch 2, the CommonJS one. */
import fetch from 'node-fetch-2';
import type { Init } from 'node-fetch-2';
import type { Call, Client } from './client.js';
import { clientSuite } from './suite.js';

function init({ agent, signal, timeout }: Call): Init {
  return { agent, signal, timeout };
}

const nodeFetch2: Client = {
  async get(url, call) {
    const response = await fetch(url, init(call));
    return { status: response.status, body: await response.text() };
  },
  async post(url, body, call) {
    const response = await fetch(url, { ...init(call), method: 'POST', body });
    return { status: response.status, body: await response.text() };
  },
  async open(url, call) {
    return (await fetch(url, init(call))).body;
  },
  traits: {
    aborted: { name: 'AbortError', type: 'aborted' },
    timedOut: { name: 'FetchError', type: 'request-timeout' },
    followsRedirects: true,
    finishesRedirects: true,
    decompresses: true,
    reportsTruncated: ['chunked'],
    destroyEndsExchange: false,
  },
};

clientSuite('node-fetch 2', nodeFetch2);
