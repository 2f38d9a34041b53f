/** The new process: takes over the sessions that it is given, and tells whether its connections resumed. */
import type { TLSSocket } from 'node:tls';
import { PoolingAgent, SessionCache } from '../../src/index.js';
import { get } from '../support/server.js';

const { port, ca, blob, key } = JSON.parse(process.argv[2] ?? '') as Record<'ca' | 'blob' | 'key', string> & {
  port: number;
};
const sessionCache = new SessionCache();
const imported = sessionCache.import(Buffer.from(blob, 'base64'), { key: Buffer.from(key, 'base64') });
const agent = new PoolingAgent({ ca, sessionCache });
const resumed: boolean[] = [];
for (let i = 0; i < 2; i++) {
  const { req } = await get({ port, ca }, { agent });
  resumed.push((req.socket as TLSSocket).isSessionReused());
}
console.log(JSON.stringify({ imported, resumed }));
