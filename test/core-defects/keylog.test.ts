/** Defect 10: listening for 'keylog' when there are connections already. */
import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { get, httpsServer } from '../support/server.js';
import { defect } from './support.js';

/** Node 20 and 22 take `agent.sockets` for a list of sockets. */
function throwsHere(): boolean {
  const agent = new Agent();
  Reflect.set(agent.sockets, 'some:1:', []);
  try {
    agent.on('keylog', () => {});
    return false;
  } catch {
    return true;
  }
}

defect(
  "10. a listener for 'keylog' that comes when there are connections throws",
  { symptom: /is not a function/, here: throwsHere() },
  async ({ t, agent: make, soon }) => {
    const server = await httpsServer(t);
    const agent = make({ ca: server.ca });
    const lines: string[] = [];
    const answer = get(server, { agent });
    answer.catch(() => {});
    agent.on('keylog', (line: Buffer) => lines.push(line.toString()));
    await soon(answer, 'an answer');
    assert.ok(lines.some((line) => line.startsWith('CLIENT_')));
  },
);
