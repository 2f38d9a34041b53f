/**
 * Run by two-copies.test.ts in a process of its own, which survives what is thrown: with agents of either copy, a listener that throws cuts a request short, and
 * the next one waits for its slot.
 */
import { request } from 'node:https';
import * as first from '../../src/index.js';
import { certificate } from '../support/certificate.js';
import { Scene } from './scenario.js';
import { secondCopy } from './second-copy.js';

const second = await secondCopy();
const scene = await new Scene(await certificate()).listen();
const said: string[] = [];
process.on('uncaughtException', ({ message }) => said.push(message));
// Both are there: the listener is that of the first.
const agents = [first, second].map((copy) => scene.agent(copy, { maxSockets: 1 }));
for (const [i, agent] of agents.entries()) {
  const options = { host: 'localhost', port: scene.port, ca: scene.ca, agent, method: 'POST' };
  request(options)
    .on('error', () => {})
    .on('socket', () => {
      throw new Error('thrown');
    })
    .end();
  await scene.get(agent);
  console.log(`${['first', 'second'][i]}: ${said.splice(0).join()}, answered`);
}
scene.close();
