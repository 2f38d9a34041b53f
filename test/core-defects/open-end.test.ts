/** A body that the head of its request says nothing of, as Node's client sends one of a GET: the server takes it for the next request. */
import assert from 'node:assert/strict';
import { request } from '../support/protocol.js';
import { threadedServer } from '../support/threaded-server.js';
import { defect } from './support.js';

defect('the request after a GET with a body is answered', { symptom: /ECONNRESET|400/ }, async (bench) => {
  const { url, ca } = await threadedServer(bench.t);
  const agent = bench.agent({ ca, maxSockets: 1 });
  const send = (method: string, body?: string): Promise<number | string | undefined> =>
    new Promise((resolve) => {
      const req = request(new URL('/', url), { agent, method });
      req.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
      req.on('response', (res) => res.resume().on('end', () => resolve(res.statusCode)));
      req.end(body);
    });
  const answers: unknown[] = [];
  for (let round = 0; round < 10; round++) {
    // The second waits for the connection of the first.
    answers.push(
      ...(await bench.soon(Promise.all([send('GET', 'body'), send('POST', 'body')]), 'the answers')),
    );
  }
  assert.deepEqual([...new Set(answers)], [200], String(answers));
});
