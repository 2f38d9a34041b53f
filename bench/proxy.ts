/** The proxy's process: opens tunnels to the loopback, and does nothing else. It is the same for all clients, and its CPU is nobody's. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { answer } from './ipc.js';

const OPENED = 'HTTP/1.1 200 Connection established\r\n\r\n';

function tunnel(client: Socket): void {
  let head = '';
  const onData = (chunk: Buffer): void => {
    head += chunk.toString('latin1');
    if (!head.endsWith('\r\n\r\n')) return;
    client.removeListener('data', onData);
    const port = Number(/^CONNECT \S*:(\d+) /.exec(head)?.[1]);
    const server = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const)
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
    server.once('connect', () => {
      client.write(OPENED);
      client.pipe(server).pipe(client);
    });
  };
  client.on('data', onData);
}

answer({
  listen: () =>
    new Promise<number>((resolve) => {
      const server = createServer({ noDelay: true }, tunnel);
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    }),
});
