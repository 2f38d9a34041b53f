/** Started by other-node.test.ts: three requests in turn, of which the second is lost the first time, on a Node that something was done to. */
import { ClientRequest, OutgoingMessage } from 'node:http';
import { createServer, get } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { certificate } from '../support/certificate.js';

const change = process.argv[2];
const warnings: string[] = [];
process.on('warning', (warning: Error & { code?: string }) => {
  if (warning.code === 'POOLING_AGENT_NODE') warnings.push(warning.message);
});

// What Node looks like to us: its own client is not affected.
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

const { PoolingAgent } = await import('../../src/index.js');
const { key, cert } = await certificate();
const received: string[] = [];
const server = createServer({ key, cert }, (req, res) => {
  const path = req.url ?? '';
  const isFirst = !received.includes(path);
  received.push(path);
  if (path === '/lost' && isFirst) (req.socket as Socket).destroy();
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
