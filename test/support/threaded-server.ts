/**
 * An HTTPS server (HTTP where node-protocol.ts says so) in a thread of its own: it can answer within one turn of the client's event loop, as a fast server
 * does, and what is done to the main thread's timers and ticks does not touch it. Each answer is the number of connections that it has seen so far;
 * with `?after=` that many milliseconds later, with `?spaces=` that many spaces follow.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { certificate } from './certificate.js';
import type { Certificate } from './certificate.js';
import { CONNECTED, createServer, PROTOCOL } from './node-protocol.js';

export async function threadedServer(t: TestContext): Promise<{ url: string; ca: string }> {
  const pems = await certificate();
  const worker = new Worker(new URL(import.meta.url), { workerData: pems });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return { url: `${PROTOCOL}//localhost:${port}`, ca: pems.cert };
}

if (!isMainThread) {
  let connections = 0;
  const server = createServer(workerData as Certificate, (req, res) => {
    const { searchParams } = new URL(req.url ?? '/', 'https://localhost');
    const spaces = ' '.repeat(Number(searchParams.get('spaces')));
    const end = (): unknown => res.end(connections + spaces);
    const delay = Number(searchParams.get('after'));
    if (delay > 0) setTimeout(end, delay);
    else end();
  });
  server.keepAliveTimeout = 0;
  server.on(CONNECTED, () => connections++);
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port, []));
}
