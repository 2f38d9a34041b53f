/** For warm.test.ts: a process whose agent for http: keeps a connection ready, or has opened one in advance. It has nothing else to wait for. */
import http from 'node:http';
import { PoolingHttpAgent } from '../../src/index.js';

const [, , port = '', how] = process.argv;
const agent = new PoolingHttpAgent(how === 'preconnect' ? {} : { minFreeSockets: 1 });
const url = `http://localhost:${port}/`;
if (how === 'preconnect') await agent.preconnect(url);
else {
  await new Promise((resolve) => {
    http.get(url, { agent }, (res) => void res.resume().on('end', resolve));
  });
}
