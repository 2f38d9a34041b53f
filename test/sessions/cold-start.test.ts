/**
 * Many requests at once on a cold pool: how many of the connections behind the first profit from its tickets. PendingDials are
 * paced by the event loop, one a turn, so that over a short way the first tickets are there before the last dials. Over a long
 * way all are under way by then, and a second burst resumes. The counts are printed; what must hold for all is asserted.
 */
import assert from 'node:assert/strict';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { SessionCache } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { byEffort } from '../support/effort.js';
import { get, httpsServer } from '../support/server.js';

const REQUESTS = byEffort(200);

/** Every chunk arrives half a round trip later, in each direction; the first one a round trip more, for TCP's handshake. */
async function relay(t: TestContext, to: number, roundTrip: number): Promise<number> {
  const sockets = new Set<Socket>();
  const forward = (from: Socket, into: Socket, opensAt: number): void => {
    sockets.add(from);
    const later = (action: () => void): void => {
      setTimeout(action, Math.max(opensAt - performance.now(), 0) + roundTrip / 2);
    };
    from.on('data', (chunk: Buffer) => later(() => into.write(chunk)));
    from.on('end', () => later(() => into.end()));
    from.on('error', () => {});
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const behind = connect({ port: to, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    forward(client, behind, performance.now() + roundTrip);
    forward(behind, client, 0);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 1024, resolve));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

for (const roundTrip of [0, 20, 100]) {
  test(`${REQUESTS} requests at once, ${roundTrip} ms away`, { timeout: 120_000 }, async (t) => {
    const server = await httpsServer(t);
    const port = roundTrip === 0 ? server.port : await relay(t, server.port, roundTrip);
    const sessionCache = new SessionCache();
    const agent = poolingAgent(t, { ca: server.ca, sessionCache });
    const burst = async (): Promise<string> => {
      const before = sessionCache.stats;
      const opened = server.connections();
      await Promise.all(Array.from({ length: REQUESTS }, () => get({ ...server, port }, { agent })));
      const { resumed, full } = sessionCache.stats;
      const connections = server.connections() - opened;
      return `${connections} connections, ${resumed - before.resumed} resumed, ${full - before.full} in full`;
    };
    t.diagnostic(`cold: ${await burst()}`);
    agent.destroy();
    t.diagnostic(`again, with nothing open: ${await burst()}`);

    const { resumed, full, hits, misses } = sessionCache.stats;
    assert.equal(resumed, server.resumed(), 'the server counts the same');
    assert.equal(resumed + full, server.connections());
    assert.equal(hits + misses, server.connections());
    assert.equal(resumed, hits, 'whoever had a ticket resumed');
  });
}
