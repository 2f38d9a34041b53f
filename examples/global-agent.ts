/** The whole program at once: all code that uses node:https and names no agent gets the pool. */
import https from 'node:https';
import { text } from 'node:stream/consumers';
// In your code: from 'pooling-https-agent'.
import { PoolingAgent } from '../src/index.js';
import { startServer } from './support/server.js';

const server = await startServer();

const agent = new PoolingAgent({ ca: server.ca, maxSockets: 10 });
https.globalAgent = agent;

const body = await new Promise<string>((resolve, reject) => {
  https.get(`${server.url}/hello`, (res) => resolve(text(res))).on('error', reject);
});
console.log(body);
const idle = Object.values(agent.freeSockets).flat().length;
console.log(`${idle} idle connection in the pool`);

agent.destroy();
server.close();
