/**
 * The demo's HTTPS servers, one that behaves well and one that misbehaves on request. They are a process of their own, so that the demo's CPU time is the client's
 * alone; it ends with its parent. Each answer carries the id of the request that it is for (`x-tag`): the host that the client asked TLS for and the end
 * of the path, so that an answer meant for another request, or another host, gives itself away.
 */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { listen } from '../../test/support/fault-server/server.js';
import { makeCertificate } from '../support/certificate.js';
import { ANY_LANE, hosts } from './hosts.js';
import type { Counts, Ready } from './messages.js';

const certificate = await makeCertificate(...hosts, ANY_LANE);
let connections = 0;
let resumed = 0;

const server = createServer(certificate, (req, res) => {
  const { servername } = req.socket as TLSSocket & { servername?: string | false };
  res.setHeader('x-tag', `${servername}/${req.url?.split('/').at(-1)}`);
  const delay = Number(req.headers['x-delay'] ?? 0);
  if (delay > 0) setTimeout(() => res.end('ok'), delay);
  else res.end('ok');
});
server.keepAliveTimeout = 60_000;
server.on('connection', () => connections++);
server.on('secureConnection', (socket) => {
  if (socket.isSessionReused()) resumed++;
});
const faulty = await listen({ seed: 1 }, certificate, false);

const tell = (message: Ready | Counts): void => {
  process.send?.(message);
};
process.on('message', () => tell({ type: 'counts', connections, resumed }));
process.on('disconnect', () => process.exit());

server.listen(0, '127.0.0.1', 4096, () => {
  const { port } = server.address() as AddressInfo;
  tell({ type: 'ready', port, faultPort: faulty.port, ca: certificate.cert });
});
