/** axios, over follow-redirects (its default) and over node:https itself. */
import axios from 'axios';
import type { AxiosInstance, AxiosRequestConfig } from 'axios';
import type { Readable } from 'node:stream';
import type { Call, Client, Traits } from './client.js';
import { clientSuite } from './suite.js';

function config({ agent, signal, timeout }: Call): AxiosRequestConfig {
  return {
    httpAgent: agent,
    httpsAgent: agent,
    ...(signal && { signal }),
    ...(timeout && { timeout }),
    proxy: false,
    responseType: 'text',
    validateStatus: () => true,
  };
}

function axiosClient(instance: AxiosInstance, traits: Traits): Client {
  return {
    async get(url, call) {
      const { status, data } = await instance.get<string>(url, config(call));
      return { status, body: data };
    },
    async post(url, body, call) {
      const { status, data } = await instance.post<string>(url, body, config(call));
      return { status, body: data };
    },
    async open(url, call) {
      return (await instance.get<Readable>(url, { ...config(call), responseType: 'stream' })).data;
    },
    traits,
  };
}

const traits: Traits = {
  aborted: { name: 'CanceledError', code: 'ERR_CANCELED' },
  timedOut: { name: 'AxiosError', code: 'ECONNABORTED' },
  followsRedirects: true,
  finishesRedirects: true,
  decompresses: true,
  reportsTruncated: ['content-length', 'chunked'],
  destroyEndsExchange: true,
};

clientSuite('axios', axiosClient(axios, traits));

// Without redirects it talks to node:https itself, and not through follow-redirects.
clientSuite(
  'axios, maxRedirects: 0',
  axiosClient(axios.create({ maxRedirects: 0 }), {
    ...traits,
    timedOutInQueue: traits.timedOut,
    followsRedirects: false,
  }),
);
