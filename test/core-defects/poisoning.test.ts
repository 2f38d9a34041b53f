/** Defect 11: a surplus response answers the next request. */
import assert from 'node:assert/strict';
import type { TLSSocket } from 'node:tls';
import { isPlain } from '../support/protocol.js';
import { get, rawServer } from '../support/server.js';
import { defect } from './support.js';

const response = (body: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n${body}`;

/** Answers each request with its path; the first one of all, by `surplus`. */
function echo(surplus: (socket: TLSSocket, path: string) => void): (socket: TLSSocket) => void {
  let first = true;
  return (socket) => {
    socket.on('data', (data) => {
      const path = /^GET (\S+)/.exec(data.toString('latin1'))?.[1] ?? '';
      if (first) surplus(socket, path);
      else socket.write(response(path));
      first = false;
    });
  };
}

const SURPLUS = {
  'in the same record': (socket: TLSSocket, path: string) => {
    socket.write(response(path) + response('stray'));
  },
  'in the next record': (socket: TLSSocket, path: string) => {
    socket.write(response(path));
    socket.write(response('stray'));
  },
};

for (const [how, surplus] of Object.entries(SURPLUS)) {
  // Plain TCP has no records: what the client reads at once is one piece, and what comes after that, no client can tell from an answer.
  if (isPlain && how === 'in the next record') continue;
  // Node's own parser refuses bytes that follow a response in the same chunk, on the request that has it.
  const here = how !== 'in the same record';
  defect(
    `11. a surplus response ${how} answers a request that waits`,
    { symptom: /stray/, here },
    async ({ t, agent: make, soon }) => {
      const server = await rawServer(t, echo(surplus));
      const agent = make({ ca: server.ca, maxSockets: 1 });
      const paths = ['/1', '/2', '/3', '/4', '/5'];
      const answers = paths.map((path) => get(server, { agent, path }));
      const results = await soon(Promise.allSettled(answers), 'an end for each');
      const bodies = results.map((result) => (result.status === 'fulfilled' ? result.value.body : 'error'));
      // The first one may fail, or not: it was answered.
      assert.deepEqual(bodies.slice(1), paths.slice(1), bodies.join());
    },
  );
}
