/**
 * An HTTPS server in a thread of its own: it can answer within one turn of the client's event loop, as a fast server
 * does. Each answer is the number of TLS connections that it has seen so far.
 */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { certificate } from './certificate.js';
import type { Certificate } from './certificate.js';

export async function threadedServer(t: TestContext): Promise<{ url: string; ca: string }> {
  const pems = await certificate();
  const worker = new Worker(new URL(import.meta.url), { workerData: pems });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return { url: `https://localhost:${port}`, ca: pems.cert };
}

if (!isMainThread) {
  let connections = 0;
  const server = createServer(workerData as Certificate, (_req, res) => res.end(String(connections)));
  server.keepAliveTimeout = 0;
  server.on('secureConnection', () => connections++);
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port, []));
}
