/** For abort.test.ts: aborts requests in their 'data' handler, over the agent that is named by the first argument. */
import type { AddressInfo } from 'node:net';
import { Agent, createServer, request, PoolingAgent } from '../support/protocol.js';
import { certificate } from '../support/certificate.js';

const { key, cert } = await certificate();
const server = createServer({ key, cert }, (_req, res) => res.end('in one chunk'));
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;

const options = { ca: cert, keepAlive: true, maxSockets: 1 };
const agent = process.argv[2] === 'core' ? new Agent(options) : new PoolingAgent(options);

function abortInData(): Promise<void> {
  return new Promise((resolve) => {
    const controller = new AbortController();
    const req = request({ host: 'localhost', port, agent, signal: controller.signal }, (res) => {
      res.on('data', () => controller.abort());
      res.on('error', () => {});
    });
    req.on('error', () => {});
    req.on('close', resolve);
    req.end();
  });
}

let aborted = 0;
for (; aborted < 20; aborted++) await abortInData();
console.log(`aborted ${aborted} times`);
agent.destroy();
server.close();
server.closeAllConnections();
