/**
 * Tests of single options. Each names the options that it covers, so that `table.test.ts` can compare them with the table in
 * docs/node-options.md, and runs twice: with the options given on the agent, and given per request.
 */
import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import type { RequestOptions, ServerOptions } from 'node:https';
import { createSecureContext } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { PoolingAgent } from '../../../src/index.js';
import { poolingAgent } from '../../support/agent.js';
import { get, httpsServer } from '../../support/server.js';
import type { TestServer } from '../../support/server.js';

const LIMIT = { timeout: 120_000 };

export type Options = Record<string, unknown>;
export type Place = 'agent' | 'request';

/** A file of test/tls/fixtures. */
export function fixture(name: string): Buffer {
  return readFileSync(new URL(`../../../../test/tls/fixtures/${name}`, import.meta.url));
}

export function pem(name: string): string {
  return fixture(name).toString();
}

/** The abilities of this Node: its contexts have a method for each. */
export function contextCan(method: string): boolean {
  return typeof (createSecureContext().context as Options)[method] === 'function';
}

/** The server's view of a connection. */
interface Seen {
  readonly protocol: string | null;
  readonly cipher: string;
  readonly alpn: string | false;
  readonly servername: string | false;
  /** The common name of the client's certificate. */
  readonly client: string | undefined;
  readonly authorized: boolean;
  readonly resumed: boolean;
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
}

function sight(socket: TLSSocket): Seen {
  return {
    protocol: socket.getProtocol(),
    cipher: socket.getCipher().name,
    alpn: socket.alpnProtocol ?? false,
    servername: (socket as { servername?: string | false }).servername ?? false,
    // TypeScript believes that there is always one.
    client: (socket.getPeerCertificate() as { subject?: { CN: string } }).subject?.CN,
    authorized: socket.authorized,
    resumed: socket.isSessionReused(),
    remoteAddress: socket.remoteAddress,
    remotePort: socket.remotePort,
  };
}

/** A server with a certificate by `ca.pem` that answers with what it sees. */
export function mirror(
  t: TestContext,
  options: ServerOptions & Options = {},
  listener?: RequestListener,
): Promise<TestServer> {
  const answer: RequestListener = (req, res) => res.end(JSON.stringify(sight(req.socket as TLSSocket)));
  return httpsServer(t, listener ?? answer, {
    cert: pem('server.pem') + pem('intermediate.pem'),
    key: pem('server.key'),
    ...options,
  });
}

interface Conversation {
  readonly seen: Seen;
  /** The client's side of the connection. */
  readonly socket: TLSSocket;
  readonly reused: boolean;
}

export interface Client {
  readonly agent: PoolingAgent;
  /** Options that every request needs. */
  readonly options: Options;
  ask(server: { port: number }, more?: Options): Promise<Conversation>;
}

interface Bench {
  readonly t: TestContext;
  readonly place: Place;
  /** With these options, and with trust in `ca.pem` if they say nothing about it. */
  client(options: Options): Client;
}

function bench(t: TestContext, place: Place): Bench {
  return {
    t,
    place,
    client(given) {
      const options: Options = { ca: pem('ca.pem'), ...given };
      const agent = poolingAgent(t, place === 'agent' ? options : {});
      const own = place === 'request' ? options : {};
      return {
        agent,
        options: own,
        async ask({ port }, more) {
          const asked = { ca: undefined, ...own, agent, ...more } as unknown as RequestOptions;
          const { body, req } = await get({ port, ca: '' }, asked);
          return {
            seen: JSON.parse(body) as Seen,
            socket: req.socket as TLSSocket,
            reused: req.reusedSocket,
          };
        },
      };
    },
  };
}

/** The options that have a test, by place. */
export const covered: ReadonlyMap<string, Set<Place>> = new Map<string, Set<Place>>();
let collecting = false;

/** From now on tests are only noted, not run. */
export function collect(): void {
  collecting = true;
}

type Body = (bench: Bench) => Promise<void> | void;

/** A test of these options in one place. `skip`: a reason not to run it. */
export function at(place: Place, names: readonly string[], title: string, body: Body, skip?: string): void {
  if (collecting) {
    for (const name of names) {
      (covered as Map<string, Set<Place>>).set(name, (covered.get(name) ?? new Set()).add(place));
    }
    return;
  }
  const where = place === 'agent' ? 'on the agent' : 'per request';
  test(`${names.join(', ')} ${where}: ${title}`, { ...LIMIT, skip: skip ?? false }, (t) =>
    body(bench(t, place)),
  );
}

/** A test of these options, given on the agent and given per request. */
export function everywhere(names: readonly string[], title: string, body: Body, skip?: string): void {
  at('agent', names, title, body, skip);
  at('request', names, title, body, skip);
}
