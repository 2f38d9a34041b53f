/** A server that gives idle connections up at any moment, just when they are used again. */
import assert from 'node:assert/strict';
import { request } from '../../support/protocol.js';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { poolingAgent, poolOf } from '../../support/agent.js';
import { until } from '../../support/until.js';
import { fickleServer } from '../fickle-server.js';
import type { Connection } from '../fickle-server.js';
import { byEffort } from '../../support/effort.js';

const REQUESTS = byEffort(400);
const WORKERS = 12;

/** Numbers from 0 to 1 that look random, the same each time. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

it('GETs know nothing of it, and no POST is received twice', { timeout: 120_000 }, async (t) => {
  const random = numbers(5);
  const idle = new Map<Connection, NodeJS.Timeout>();
  const server = await fickleServer(t, (received) => {
    const { connection } = received;
    clearTimeout(idle.get(connection));
    connection.answer(received);
    const giveUp = (): void => (random() < 0.5 ? connection.end() : connection.reset());
    idle.set(connection, setTimeout(giveUp, random() * 4));
  });
  t.after(() => {
    for (const timer of idle.values()) clearTimeout(timer);
  });

  const agent = poolingAgent(t, { ca: server.ca });
  const send = (method: string, path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let responses = 0;
      let body = '';
      const req = request({ host: 'localhost', port: server.port, agent, method, path }, (res) => {
        responses++;
        res.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      });
      req.on('error', reject);
      req.on('close', () => {
        if (responses === 1) resolve(body);
        else reject(new Error(`${responses} responses for ${path}`));
      });
      req.end(method === 'POST' ? 'body' : undefined);
    });

  let failedPosts = 0;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < REQUESTS) {
      const path = `/${next++}`;
      const method = random() < 0.2 ? 'POST' : 'GET';
      const answer = send(method, path);
      if (method === 'GET') assert.equal(await answer, path);
      else
        await answer.then(
          (body) => assert.equal(body, path),
          () => failedPosts++,
        );
      await sleep(random() * 4);
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));

  const times = new Map<string, number>();
  for (const { method, path } of server.received) {
    const key = `${method} ${path}`;
    times.set(key, (times.get(key) ?? 0) + 1);
  }
  let replayed = 0;
  for (const [key, count] of times) {
    if (key.startsWith('POST')) assert.equal(count, 1, key);
    else if (count > 1) replayed++;
  }
  t.diagnostic(
    `received twice: ${replayed} GETs; failed: ${failedPosts} POSTs; connections: ${server.connections()}`,
  );
  await until(() => poolOf(agent).size === 0);
});
