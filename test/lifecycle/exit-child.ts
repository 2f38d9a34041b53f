/** A process of its own for exit.test.ts: closes its agent in the middle of a module, and goes on. */
import { PoolingAgent } from '../support/protocol.js';
import { get } from '../support/server.js';
import { fate } from './support.js';

const [port, ca = '', what] = process.argv.slice(2);
const server = { port: Number(port), ca };
const agent = new PoolingAgent({ ca });
await get(server, { agent });
if (what === 'paused') agent.setHostLimits('localhost', { maxSockets: 0 });
const last = what === 'idle' ? undefined : fate(get(server, { agent }));
await agent.close({ timeout: what === 'paused' ? 200 : Infinity });
console.log((await last) ?? 'closed');
