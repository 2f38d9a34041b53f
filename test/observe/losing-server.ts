/** A server on which one request is sent again: it has a connection that has served another one, and loses it. */
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { CONNECTED } from '../support/protocol.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';

/** Answers the first request, destroys the connection of the first when the second comes, and answers all that come then. */
export async function losingServer(t: TestContext): Promise<TestServer> {
  const sockets: Socket[] = [];
  let answers = 0;
  const server = await httpsServer(t, (_req, res) => {
    if (++answers === 2) sockets[0]?.destroy();
    else res.end();
  });
  server.server.on(CONNECTED, (socket: Socket) => void sockets.push(socket));
  return server;
}
