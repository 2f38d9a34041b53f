/** A process of its own for idle-sockets.test.ts: waits for nothing but its requests, and leaves idle connections behind. */
import { Agent, PoolingAgent } from '../support/protocol.js';
import { get } from '../support/server.js';
import { untilIdle } from './support.js';

const [kind, port, ca = ''] = process.argv.slice(2);
const options = { keepAlive: true, ca };
const agent = kind === 'PoolingAgent' ? new PoolingAgent(options) : new Agent(options);
await Promise.all([get({ port: Number(port), ca }, { agent }), get({ port: Number(port), ca }, { agent })]);
await untilIdle(agent, 2);
console.log('2 idle');
console.log((await get({ port: Number(port), ca }, { agent })).body);
