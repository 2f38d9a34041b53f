/** `undici.request`, one request at a time on a connection. */
import { Agent, request } from 'undici';
import type { Contender } from './contender.js';
import { requestClient } from './fetch-client.js';
import { undiciOptions } from './undici-options.js';

export const contender: Contender = {
  create(settings) {
    const dispatcher = new Agent(undiciOptions(settings));
    return requestClient(request, dispatcher, settings, () => void dispatcher.destroy());
  },
};
