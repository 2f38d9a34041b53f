/** A connection that the server closes while its last response is still being read. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { faultServer } from '../support/fault-server/index.js';
import { defect } from './support.js';
import { request } from '../support/protocol.js';

defect("a slow reader's request closes once", { symptom: /'close' came twice/ }, async (bench) => {
  const server = await faultServer(bench.t, { seed: 1 });
  const agent = bench.agent({ ca: server.ca });
  const req = request({
    host: 'localhost',
    port: server.port,
    path: '/1',
    agent,
    headers: { 'x-fault': 'end-after' },
  });
  let closes = 0;
  req.on('close', () => closes++);
  const read = new Promise<string>((resolve, reject) => {
    req.on('error', reject);
    req.on('response', (res) => {
      let body = '';
      res.on('end', () => resolve(body));
      req.socket?.on('close', () =>
        setImmediate(() => res.on('data', (chunk: Buffer) => (body += chunk.toString()))),
      );
    });
  });
  req.end();
  assert.match(await bench.soon(read, 'the response'), /^1\|\.*\|1$/);
  await bench.until(() => closes > 0, 'the close');
  for (let turn = 0; turn < 10; turn++) await sleep(1);
  assert.equal(closes, 1, "'close' came twice");
});
