/** A little HTTPS server on the loopback, for the examples to talk to. It answers with the request's path. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate } from './certificate.js';

interface LocalServer {
  readonly url: string;
  readonly port: number;
  /** The certificate to trust. */
  readonly ca: string;
  /** Connections accepted so far. */
  readonly connections: () => number;
  readonly close: () => void;
}

/** @param delay milliseconds that the server thinks about each request */
export async function startServer(delay = 0): Promise<LocalServer> {
  const { key, cert } = await makeCertificate('localhost');
  let connections = 0;
  const server = createServer({ key, cert }, async (req, res) => {
    await sleep(delay);
    res.end(`this is ${req.url}`);
  });
  server.on('connection', () => connections++);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://localhost:${port}`,
    port,
    ca: cert,
    connections: () => connections,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
