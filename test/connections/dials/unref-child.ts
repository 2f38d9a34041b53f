/**
 * A process of its own for unref.test.ts: asks a server that never answers, and says on which terms its socket keeps the process
 * alive. Prints the code of the error, if it lives long enough to hear of one.
 */
import { get } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { PoolingAgent } from '../../../src/index.js';

const TERMS: Record<string, (socket: Socket) => void> = {
  'as it comes': () => {},
  'unref() at once': (socket) => socket.unref(),
  "unref() on 'connect'": (socket) => socket.once('connect', () => socket.unref()),
  'unref() later': (socket) => void setTimeout(() => socket.unref(), 200),
  'unref() and ref()': (socket) => socket.unref().ref(),
};

const [port, terms = '', host, connectTimeout] = process.argv.slice(2);
const agent = new PoolingAgent({ connectTimeout: Number(connectTimeout) });
const never: LookupFunction = () => {};
get({ host, port, agent, ...(host === 'never.found' && { lookup: never }) })
  .on('socket', (socket) => TERMS[terms]?.(socket))
  .on('error', (error: NodeJS.ErrnoException) => console.log(error.code));
