/**
 * A server that misbehaves by plan, over TLS unless node-protocol.ts says otherwise. Everything that servers, and what stands between, have been seen doing wrong is
 * in three tables, by name: request-faults.ts (in place of an answer), idle-faults.ts (between two requests) and
 * handshake-faults.ts. A plan (plan.ts) gives each a probability, and a seed decides; a request may ask for one itself:
 *
 *     const server = await faultServer(t, { seed: 1, requests: { 'reset-mid-body': 0.1 }, idle: { rst: 0.5 } });
 *     request({ port: server.port, path: '/17', headers: { 'x-fault': 'close-on-arrival' } });
 *     request({ port: server.port, path: '/18', headers: { 'x-idle': 'fin 50', 'x-hint': 'timeout=5' } });
 *
 * The fate of a request depends on the seed, its id and the number of times that the id has come, and on nothing else: the same request
 * meets the same fault, in whatever order they come.
 *
 * The path is a request's id. Every response carries the id that it answers (responses.ts), and the server counts what
 * it received, by id and method: so a test can tell whether a response went astray and whether a request was sent twice.
 * tagged-client.ts does that.
 *
 * It runs in the test's own process, where what could have been known about a stray response is decided to the turn of
 * the event loop; or in a thread (`threadedFaultServer`), as concurrent as real ones are.
 */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { certificate } from '../certificate.js';
import type { Certificate } from '../certificate.js';
import type { FaultPlan, FaultStatistics } from './plan.js';
import type { Written } from './responses.js';
import { listen } from './server.js';

export type { FaultPlan, FaultStatistics } from './plan.js';

export interface FaultServer {
  readonly port: number;
  /** The certificate to trust. */
  readonly ca: string;
  /** Its statistics so far. */
  statistics(): Promise<FaultStatistics>;
  /** When the response with that serial number was written. Only where the server is in this process. */
  find(serial: number): Written | undefined;
  /** Ends all connections, and stops listening. Called by itself after the test. */
  close(): Promise<void>;
}

/** A test, a file of tests (`{ after }` of node:test), or whatever else ends. */
interface Owner {
  after(fn: () => Promise<void>): void;
}

/** In this thread. */
export async function faultServer(t: Owner, plan: FaultPlan): Promise<FaultServer> {
  const pems = await certificate();
  const running = await listen(plan, pems, true);
  t.after(() => running.close());
  return {
    port: running.port,
    ca: pems.cert,
    statistics: () => Promise.resolve(running.statistics()),
    find: (serial) => running.log.find(serial),
    close: running.close,
  };
}

interface ThreadedFaultServer extends FaultServer {
  /** Idle faults that were played so far. Can be asked while this thread's event loop stands still. */
  idleFaults(): number;
}

interface ThreadData {
  readonly idleFaults: Int32Array;
  readonly plan: FaultPlan;
  readonly pems: Certificate;
}

/** In a thread of its own. */
export async function threadedFaultServer(t: Owner, plan: FaultPlan): Promise<ThreadedFaultServer> {
  const pems = await certificate();
  const idleFaults = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const data: ThreadData = { plan, pems, idleFaults };
  const worker = new Worker(new URL(import.meta.url), { workerData: data });
  const [port] = (await once(worker, 'message')) as [number];
  const close = async (): Promise<void> => void (await worker.terminate());
  t.after(close);
  return {
    port,
    ca: pems.cert,
    async statistics() {
      worker.postMessage('statistics');
      const [statistics] = (await once(worker, 'message')) as [FaultStatistics];
      return statistics;
    },
    find: () => undefined,
    idleFaults: () => Atomics.load(idleFaults, 0),
    close,
  };
}

if (!isMainThread && parentPort) {
  const { plan, pems, idleFaults } = workerData as ThreadData;
  const port = parentPort;
  const running = await listen(plan, pems, false, () => Atomics.add(idleFaults, 0, 1));
  port.on('message', () => port.postMessage(running.statistics(), []));
  port.postMessage(running.port, []);
}
