/** A client library that takes an agent: here axios; got, superagent, node-fetch and others work alike. */
import axios from 'axios';
// In your code: from 'pooling-https-agent'.
import { PoolingAgent } from '../src/index.js';
import { startServer } from './support/server.js';

const server = await startServer(20);

const agent = new PoolingAgent({ ca: server.ca, maxSockets: 2 });
const client = axios.create({ baseURL: server.url, httpsAgent: agent, proxy: false });

const answers = await Promise.all(['/a', '/b', '/c', '/d'].map((path) => client.get<string>(path)));
for (const { status, data } of answers) console.log(status, data);
console.log(`${answers.length} answers over ${server.connections()} connections`);

agent.destroy();
server.close();
