/**
 * The demo's HTTPS server. It is a process of its own, so that the demo's CPU time is the client's alone; it ends
 * with its parent. The answer to a request is the name that the client asked TLS for, and the request's path, so that an answer meant for another request, or another host, gives itself away.
 */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '../support/certificate.js';
import { hosts } from './hosts.js';
import type { Counts, Ready } from './messages.js';

const { key, cert } = await makeCertificate(...hosts);
let connections = 0;
let resumed = 0;

const server = createServer({ key, cert }, (req, res) => {
  const { servername } = req.socket as TLSSocket & { servername?: string | false };
  const answer = (): unknown => res.end(`${servername} ${req.url}`);
  const delay = Number(req.headers['x-delay'] ?? 0);
  if (delay > 0) setTimeout(answer, delay);
  else answer();
});
server.keepAliveTimeout = 60_000;
server.on('connection', () => connections++);
server.on('secureConnection', (socket) => {
  if (socket.isSessionReused()) resumed++;
});

const tell = (message: Ready | Counts): void => {
  process.send?.(message);
};
process.on('message', () => tell({ type: 'counts', connections, resumed }));
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', 4096, () => {
  tell({ type: 'ready', port: (server.address() as AddressInfo).port, ca: cert });
});
