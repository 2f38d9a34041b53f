/** Node's `fetch` and `undici.request`, over any dispatcher. */
import type { Dispatcher, request as undiciRequest } from 'undici';
import { BODY } from '../responses.js';
import type { Client, ClientSettings } from './contender.js';

const headers = { 'Content-Type': 'application/json' };

type Init = Parameters<typeof fetch>[1];

export function fetchClient(dispatcher: Dispatcher, { port }: ClientSettings, close: () => void): Client {
  const exchange = async (host: string, init: object): Promise<void> => {
    const response = await fetch(`https://${host}:${port}/`, { ...init, dispatcher } as object as Init);
    await response.arrayBuffer();
  };
  return {
    get: (host) => exchange(host, {}),
    post: (host) => exchange(host, { method: 'POST', headers, body: BODY }),
    close,
  };
}

export function requestClient(
  request: typeof undiciRequest,
  dispatcher: Dispatcher,
  { port, keepAlive }: ClientSettings,
  close: () => void,
): Client {
  return {
    async get(host) {
      const { body } = await request(`https://${host}:${port}/`, { dispatcher, reset: !keepAlive });
      await body.dump();
    },
    async post(host) {
      const { body } = await request(`https://${host}:${port}/`, {
        dispatcher,
        method: 'POST',
        headers,
        body: BODY,
      });
      await body.dump();
    },
    close,
  };
}

/** Each request is the last one on its connection: `fetch` takes no option for that. */
export function lastOnes(dispatcher: Dispatcher, { keepAlive }: ClientSettings): Dispatcher {
  if (keepAlive) return dispatcher;
  return dispatcher.compose(
    (dispatch) => (options, handler) => dispatch({ ...options, reset: true }, handler),
  );
}
