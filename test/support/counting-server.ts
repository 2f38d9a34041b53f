/**
 * An HTTPS server (HTTP where node-protocol.ts says so) in a thread of its own that does nothing wrong, and counts: it answers each request, as soon as that is there
 * whole, with the request's path and the length of its body.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { certificate } from './certificate.js';
import type { Certificate } from './certificate.js';
import { createServer } from './node-protocol.js';

export interface CountingServer {
  readonly port: number;
  readonly ca: string;
  /** How often each path was received since the last call. */
  received(): Promise<ReadonlyMap<string, number>>;
}

export async function countingServer(t: TestContext): Promise<CountingServer> {
  const pems = await certificate();
  const worker = new Worker(new URL(import.meta.url), { workerData: pems });
  t.after(() => worker.terminate());
  const [port] = (await once(worker, 'message')) as [number];
  return {
    port,
    ca: pems.cert,
    async received() {
      const answer = once(worker, 'message');
      worker.postMessage('count', []);
      const [counts] = (await answer) as [Map<string, number>];
      return counts;
    },
  };
}

if (!isMainThread) {
  let counts = new Map<string, number>();
  const server = createServer(workerData as Certificate, (req, res) => {
    const path = req.url ?? '';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    let length = 0;
    req.on('data', (chunk: Buffer) => (length += chunk.length));
    req.on('end', () => res.end(`${path} ${length}`));
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1', () => parentPort?.postMessage((server.address() as AddressInfo).port, []));
  parentPort?.on('message', () => {
    parentPort?.postMessage(counts, []);
    counts = new Map();
  });
}
