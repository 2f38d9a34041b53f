/** Started by other-node.test.ts: three requests in turn, of which the second is lost the first time, on a Node that something was done to. */
import { ClientRequest, OutgoingMessage } from 'node:http';
import { Agent, createServer, get } from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import timers from 'node:timers';
import tls, { TLSSocket } from 'node:tls';
import v8 from 'node:v8';
import { certificate } from '../support/certificate.js';

const change = process.argv[2];
const warnings: string[] = [];
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code === 'POOLING_AGENT_NODE') warnings.push(warning.message);
});

// Changes Node as this package sees it: Node's own client is not affected.
if (change === 'queue') {
  // oxlint-disable-next-line typescript/unbound-method -- called on what it is called on
  const { _flush } = OutgoingMessage.prototype as unknown as { _flush(this: object): void };
  Object.defineProperty(OutgoingMessage.prototype, '_flush', {
    value(this: { socket?: { _events?: unknown } }) {
      // A socket that leads nowhere gets nothing.
      if (this.socket?._events) _flush.call(this);
    },
  });
}

// Methods that have grown to want something more: what is tried out on them before the first request throws.
if (change === 'setTimeout' || change === 'setSession') {
  const prototype = change === 'setTimeout' ? ClientRequest.prototype : TLSSocket.prototype;
  const method = Reflect.get(prototype, change) as (this: object, ...args: unknown[]) => unknown;
  Reflect.set(prototype, change, function grown(this: object, ...args: unknown[]): unknown {
    if (!(this instanceof (change === 'setTimeout' ? ClientRequest : TLSSocket)))
      throw new TypeError('Illegal invocation');
    return method.apply(this, args);
  });
}

// Functions whose source is written in other words.
if (change === 'source') {
  const { toString } = Function.prototype;
  const rewritten = new Set<unknown>([
    Reflect.get(Agent.prototype, 'addRequest'),
    tls.connect,
    tls.createSecureContext,
    tls.checkServerIdentity,
  ]);
  Reflect.set(Function.prototype, 'toString', function toOtherWords(this: object): string {
    const source = toString.call(this);
    if (!rewritten.has(this)) return source;
    return source.replaceAll(
      /this\.reuseSocket|new (?:TLSSocket|SecureContext)|ERR_TLS_CERT_ALTNAME_/g,
      'other',
    );
  });
}

// Fakes, behind which nothing is found.
let showTimers = (): void => {};
if (change === 'fakes') {
  class Fake {
    readonly #timer: { ref(): unknown; unref(): unknown };
    readonly #end: () => void;
    constructor(timer: { ref(): unknown; unref(): unknown }, end: () => void) {
      this.#timer = timer;
      this.#end = end;
    }
    ref = (): this => (this.#timer.ref(), this);
    unref = (): this => (this.#timer.unref(), this);
    close(): void {
      this.#end();
    }
  }
  const { clearImmediate, clearTimeout, setImmediate: immediately, setTimeout: later } = timers;
  Object.assign(timers, {
    setTimeout(...args: Parameters<typeof later>): Fake {
      const timer = later(...args);
      return new Fake(timer, () => clearTimeout(timer));
    },
    setImmediate(...args: Parameters<typeof immediately>): Fake {
      const immediate = immediately(...args);
      return new Fake(immediate, () => clearImmediate(immediate));
    },
    clearTimeout: (fake: Fake) => fake.close(),
    clearImmediate: (fake: Fake) => fake.close(),
  });
  syncBuiltinESMExports();
  const { setTimeout: shown } = Socket.prototype;
  Socket.prototype.setTimeout = function hidden() {
    return this;
  };
  showTimers = () => void (Socket.prototype.setTimeout = shown);
}

if (change === 'date') {
  globalThis.Date = class FakeDate extends Date {} as DateConstructor;
  v8.deserialize = () => {
    throw new Error('Unable to deserialize cloned data due to invalid or unsupported version.');
  };
  syncBuiltinESMExports();
}

const { PoolingAgent } = await import('../../src/index.js');
showTimers();
const { key, cert } = await certificate();
const received: string[] = [];
const server = createServer({ key, cert }, (req, res) => {
  const path = req.url ?? '';
  const isFirst = !received.includes(path);
  received.push(path);
  if (path === '/lost' && isFirst) req.socket.destroy();
  else res.end(path);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
const agent = new PoolingAgent({ ca: cert, validateAfterIdle: Infinity });

const answers: string[] = [];
for (const path of ['/first', '/lost', '/last']) answers.push(await answerTo(path));
agent.destroy();
server.close();
server.closeAllConnections();
console.log(JSON.stringify({ answers, received, warnings }));

function answerTo(path: string): Promise<string> {
  return new Promise((resolve) => {
    const req = get({ host: 'localhost', port, path, agent }, (res) => {
      let body = '';
      res.on('data', (chunk) => (body += String(chunk))).on('end', () => setImmediate(resolve, body));
    });
    req.on('error', (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    req.on('socket', alter);
  });
}

/** Called when Node's client has put its listeners on the socket. */
function alter(socket: Socket & { _httpMessage?: unknown }): void {
  if (change !== 'listener') return;
  for (const event of ['close', 'end']) {
    const named = socket
      .listeners(event)
      .find(({ name }) => /^socketCloseListener$|^socketOnEnd$/.test(name));
    if (!named) continue;
    const call = named as (this: Socket) => void;
    socket.removeListener(event, call);
    // Node takes it off after the exchange.
    socket.once('free', () => socket.removeListener(event, renamed));
    socket.on(event, renamed);
    function renamed(this: Socket): void {
      call.call(this);
    }
  }
}
