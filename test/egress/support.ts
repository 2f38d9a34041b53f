/** Servers on several addresses of the loopback, all with one port; and a `dns.lookup` that a test answers for. */
import { AsyncResource } from 'node:async_hooks';
import dns from 'node:dns';
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { connect, isIP } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';
import { certificate } from '../support/certificate.js';
import { createServer } from '../support/node-protocol.js';
import { closer } from '../support/server.js';

export const LIMIT = { timeout: 120_000 };

export interface Site {
  readonly address: string;
  readonly port: number;
  readonly ca: string;
  /** Connections so far. */
  readonly accepted: () => number;
  readonly open: () => number;
  readonly close: () => Promise<void>;
}

/** Answers that wait for others, and how many it takes. */
const gathered: (() => void)[] = [];
let least = 1;

/** The next `count` requests are answered together, over all servers: each has a connection of its own. */
export function gatherNext(count: number): void {
  least = count;
}

function gather(answer: () => void): void {
  gathered.push(answer);
  if (gathered.length < least) return;
  least = 1;
  for (const one of gathered.splice(0)) one();
}

/** An HTTPS server on `address` (HTTP where node-protocol.ts says so). Its answer is the address. */
export async function site(
  t: TestContext,
  address: string,
  port = 0,
  listener: RequestListener = (_req, res) => gather(() => res.end(address)),
): Promise<Site> {
  const { key, cert } = await certificate();
  const server = createServer({ key, cert }, listener);
  server.keepAliveTimeout = 0;
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject).listen(port, address, resolve);
  });
  const close = closer(server, sockets);
  t.after(close);
  return {
    address,
    port: (server.address() as AddressInfo).port,
    ca: cert,
    accepted: () => accepted,
    open: () => sockets.size,
    close,
  };
}

/** Servers on all of `addresses`, with one port. */
export async function sites(t: TestContext, ...addresses: string[]): Promise<Site[]> {
  for (let left = 10; ; left--) {
    const all: Site[] = [];
    try {
      for (const address of addresses) all.push(await site(t, address, all[0]?.port ?? 0));
      return all;
    } catch (error) {
      for (const one of all) await one.close();
      if (left === 0) throw error;
    }
  }
}

/** Something that listens on `address`, and never accepts: with its backlog full, the kernel answers no further connection. */
export async function blackHole(t: TestContext, address: string, port: number): Promise<() => Promise<void>> {
  const worker = new Worker(
    `require('node:net').createServer().listen({ port: ${port}, host: '${address}', backlog: 1 }, () => {
       require('node:worker_threads').parentPort.postMessage('listening');
       setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
     });`,
    { eval: true },
  );
  await once(worker, 'message');
  const fillers = Array.from({ length: 4 }, () => connect(port, address).on('error', () => {}));
  const end = async (): Promise<void> => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  };
  t.after(end);
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')));
  return end;
}

interface Asked {
  readonly hostname: string;
  readonly family: unknown;
  readonly hints: unknown;
  readonly all: unknown;
  /** Calls back what it was asked for: `addresses`, or the first of them. */
  answer(...addresses: string[]): void;
  fail(error: unknown): void;
  /** The callback itself. */
  readonly callback: (...args: unknown[]) => void;
}

export interface FakeLookup {
  readonly asked: Asked[];
  /** Answers all that comes from now on, after a turn of the event loop. `undefined`: the test does. */
  addresses: readonly string[] | undefined;
  error: unknown;
}

type Callback = (...args: unknown[]) => void;

const NODES = dns.lookup;

/** Puts a `dns.lookup` in the place of Node's, as mocks and tracing tools do. It goes with the test. */
export function fakeLookup(t: TestContext, ...addresses: string[]): FakeLookup {
  const fake: FakeLookup = {
    asked: [],
    addresses: addresses.length > 0 ? addresses : undefined,
    error: undefined,
  };
  const put = (fn: unknown): void => void Reflect.set(dns, 'lookup', fn);
  put((hostname: string, options: Record<string, unknown>, back: Callback) => {
    // Servers that listen at an address ask, too.
    if (isIP(hostname) !== 0) {
      Reflect.apply(NODES, dns, [hostname, options, back]);
      return;
    }
    // As Node's own: in the async context of the call.
    const callback: Callback = AsyncResource.bind(back);
    const asked: Asked = {
      hostname,
      family: options['family'],
      hints: options['hints'],
      all: options['all'],
      answer: (...found) => {
        if (options['all']) callback(null, found.map(addressOf));
        else callback(null, found[0], found[0]?.includes(':') ? 6 : 4);
      },
      fail: (error) => callback(error),
      callback,
    };
    fake.asked.push(asked);
    setImmediate(() => {
      if (fake.error) asked.fail(fake.error);
      else if (fake.addresses) asked.answer(...fake.addresses);
    });
  });
  t.after(() => put(NODES));
  return fake;
}

export function addressOf(address: string): { address: string; family: number } {
  return { address, family: address.includes(':') ? 6 : 4 };
}

/** As Node's own, for a name that does not exist. */
export function notFound(hostname: string): Error {
  return Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    errno: -3008,
    code: 'ENOTFOUND',
    syscall: 'getaddrinfo',
    hostname,
  });
}
