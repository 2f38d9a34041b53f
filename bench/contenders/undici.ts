/** `undici.request`, one request at a time on a connection. */
import { Agent, request } from 'undici';
import { lookup } from '../lookup.js';
import { BODY } from '../responses.js';
import type { Contender } from './contender.js';

const headers = { 'Content-Type': 'application/json' };

/** Its default of 4 s would close connections while the other contenders have their turn. */
const KEEP_ALIVE_TIMEOUT = 120_000;

export const contender: Contender = {
  create({ port, ca, caPerRequest, maxSockets, keepAlive, sessions }) {
    if (caPerRequest) throw new Error('undici takes no CA with a request');
    const dispatcher = new Agent({
      connections: maxSockets === Infinity ? null : maxSockets,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
      connect: { ca: [...ca], lookup, ...(!sessions && { maxCachedSessions: 0 }) },
    });
    return {
      async post(host) {
        const { body } = await request(`https://${host}:${port}/`, {
          dispatcher,
          method: 'POST',
          headers,
          body: BODY,
        });
        await body.dump();
      },
      async get(host) {
        const { body } = await request(`https://${host}:${port}/`, { dispatcher, reset: !keepAlive });
        await body.dump();
      },
      close: () => void dispatcher.destroy(),
    };
  },
};
