/** Limits: 40 requests at once, never more than 4 connections. The others wait their turn. */
import { get } from 'node:https';
import { text } from 'node:stream/consumers';
// In your code: from 'pooling-https-agent'.
import { PoolingAgent } from '../src/index.js';
import { startServer } from './support/server.js';

const server = await startServer(20);

const agent = new PoolingAgent({
  ca: server.ca,
  maxSockets: 4, // per host
  maxTotalSockets: 100, // all hosts together
});

const fetchText = (path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get(`${server.url}${path}`, { agent }, (res) => resolve(text(res))).on('error', reject);
  });

const answers = Array.from({ length: 40 }, (_, index) => fetchText(`/${index}`));
// A few connections are opened in each turn of the event loop: what becomes free meanwhile need not be opened.
await answers[0];
const [waiting] = Object.values(agent.requests);
console.log(`${agent.totalSocketCount} connections, ${waiting?.length} requests that wait`);

// A limit may be changed at any time: waiting requests are served at once.
agent.maxSockets = 8;
await answers[20];
console.log(`${agent.totalSocketCount} connections after maxSockets was raised to 8`);

await Promise.all(answers);
console.log(`${answers.length} answers over ${server.connections()} connections`);

agent.destroy();
server.close();
