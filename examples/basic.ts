/** An agent for node:https: three requests, one connection. */
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
// In your code: from 'pooling-https-agent'.
import { PoolingAgent } from '../src/index.js';
import { startServer } from './support/server.js';

const server = await startServer();

// One agent for the whole program. Every TLS option of https.Agent works, such as `ca`.
const agent = new PoolingAgent({ ca: server.ca });

for (const path of ['/one', '/two', '/three']) {
  const req = request(`${server.url}${path}`, { agent }).end();
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const body = await text(res);
  console.log(
    `${res.statusCode} ${body}, ${req.reusedSocket ? 'over the same connection' : 'over a new one'}`,
  );
}

// Idle connections do not keep the process alive; only the server of this example would.
agent.destroy();
server.close();
