/** The server itself: accepts, reads requests, and lets happen what the plan or the request says. */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import type { Certificate } from '../certificate.js';
import { isPlain } from '../node-protocol.js';
import { Random } from '../random.js';
import { FaultConnection } from './connection.js';
import type { Exchange } from './connection.js';
import { HANDSHAKE_FAULTS } from './handshake-faults.js';
import type { HandshakeFault } from './handshake-faults.js';
import { IDLE_FAULTS } from './idle-faults.js';
import type { IdleFault } from './idle-faults.js';
import { DIRECTIVES } from './plan.js';
import type { FaultPlan, FaultStatistics } from './plan.js';
import { REQUEST_FAULTS, strikesAtHead } from './request-faults.js';
import type { RequestFault } from './request-faults.js';
import { RequestReader } from './request-reader.js';
import type { RequestHead } from './request-reader.js';
import { ResponseLog } from './response-log.js';

export interface RunningServer {
  readonly port: number;
  readonly log: ResponseLog;
  statistics(): FaultStatistics;
  close(): Promise<void>;
}

/**
 * @param shared whether the clients run in this very event loop
 * @param onIdleFault called after each idle fault was played
 */
export async function listen(
  plan: FaultPlan,
  { key, cert }: Certificate,
  shared: boolean,
  onIdleFault: () => void = () => {},
): Promise<RunningServer> {
  const log = new ResponseLog(shared);
  const server = new FaultServer(plan, log, onIdleFault);
  // Only the TCP server listens: what happens before TLS is decided there.
  const tls = createTlsServer({ key, cert }, (socket) => server.onReady(socket));
  tls.on('tlsClientError', (_error, socket) => socket.destroy());
  const tcp = createServer({ pauseOnConnect: true, noDelay: true }, (socket) =>
    server.onConnection(socket, () =>
      isPlain ? server.onReady(socket as TLSSocket) : tls.emit('connection', socket),
    ),
  );
  await new Promise<void>((resolve, reject) => {
    tcp.once('error', reject);
    tcp.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve);
  });
  return {
    port: (tcp.address() as AddressInfo).port,
    log,
    statistics: () => server.statistics(),
    close: () =>
      new Promise((resolve) => {
        tcp.close(() => resolve());
        server.destroy();
      }),
  };
}

class FaultServer {
  readonly #plan: FaultPlan;
  readonly #log: ResponseLog;
  readonly #onIdleFault: () => void;
  /** Open TCP connections by the client's port. */
  readonly #open = new Map<number, { readonly tcp: Socket; readonly fault: HandshakeFault | undefined }>();
  readonly #arrivals = new Map<string, number>();
  readonly #repeatedByMethod: Record<string, number> = {};
  readonly #byMethod: Record<string, number> = {};
  readonly #faults: Record<string, number> = {};
  #accepted = 0;
  #connections = 0;
  #resumed = 0;
  #requests = 0;

  constructor(plan: FaultPlan, log: ResponseLog, onIdleFault: () => void) {
    this.#plan = plan;
    this.#log = log;
    this.#onIdleFault = onIdleFault;
  }

  onConnection(tcp: Socket, proceed: () => void): void {
    const serial = this.#accepted++;
    const { seed, handshakes = {} } = this.#plan;
    const fault = Random.for(seed, `connection ${serial}`).oneOf(handshakes);
    const port = tcp.remotePort ?? 0;
    this.#open.set(port, { tcp, fault });
    tcp.on('error', () => {});
    tcp.once('close', () => this.#open.delete(port));
    if (!fault) {
      proceed();
      return;
    }
    this.#count(fault);
    HANDSHAKE_FAULTS[fault](tcp, proceed);
    // A connection that is not handed on is read here, or its end would go unseen.
    if (fault !== 'slow' && fault !== 'unasked' && fault !== 'close-when-ready') tcp.resume();
  }

  /** @param tls speaks HTTP from now on; over `http:` it is the TCP socket itself */
  onReady(tls: TLSSocket): void {
    tls.on('error', () => {});
    const entry = this.#open.get(tls.remotePort ?? 0);
    if (!entry) {
      tls.destroy();
      return;
    }
    this.#connections++;
    if (!isPlain && tls.isSessionReused()) this.#resumed++;
    const connection = new FaultConnection(tls, entry.tcp, this.#log);
    if (entry.fault === 'unasked') connection.write(connection.stray());
    else if (entry.fault === 'close-when-ready') connection.close();

    let exchange: { readonly run: () => void; readonly atHead: boolean } | undefined;
    const reader = new RequestReader(
      (head) => {
        exchange = this.#begin(connection, head);
        if (exchange.atHead) exchange.run();
      },
      () => {
        const ended = exchange;
        exchange = undefined;
        if (!ended?.atHead) ended?.run();
      },
    );
    tls.on('data', (data) => {
      connection.busy();
      if (connection.open) reader.add(data);
    });
    // The listener sets no socket to flow that the server has paused, as this one has TCP sockets.
    tls.resume();
    // A client that has ended waits for nothing.
    tls.on('end', () => connection.close());
  }

  statistics(): FaultStatistics {
    return {
      accepted: this.#accepted,
      connections: this.#connections,
      resumed: this.#resumed,
      open: this.#open.size,
      requests: this.#requests,
      byMethod: this.#byMethod,
      repeated: Object.fromEntries([...this.#arrivals].filter(([, times]) => times > 1)),
      repeatedByMethod: this.#repeatedByMethod,
      faults: this.#faults,
    };
  }

  destroy(): void {
    for (const { tcp } of this.#open.values()) tcp.destroy();
  }

  /** A request's head has come: what shall become of it? */
  #begin(connection: FaultConnection, head: RequestHead): { run: () => void; atHead: boolean } {
    const { id, method } = head;
    const times = (this.#arrivals.get(id) ?? 0) + 1;
    this.#arrivals.set(id, times);
    this.#requests++;
    this.#byMethod[method] = (this.#byMethod[method] ?? 0) + 1;
    if (times > 1) this.#repeatedByMethod[method] = (this.#repeatedByMethod[method] ?? 0) + 1;

    const random = Random.for(this.#plan.seed, `${id} ${times}`);
    const fault = this.#faultFor(head, times, random);
    const idleFault = this.#idleFaultFor(head, random);
    const hint = head.header(DIRECTIVES.hint) ?? this.#plan.hint;
    const exchange: Exchange = {
      connection,
      head,
      between: (least, greatest) => random.between(least, greatest),
      answer: ({ headers = [], ...parts } = {}) =>
        connection.response({
          tag: id,
          filler: random.between(0, this.#plan.filler ?? 200),
          headers: hint === undefined ? headers : [...headers, `Keep-Alive: ${hint}`],
          headOnly: method === 'HEAD',
          ...parts,
        }),
      done: () => {
        if (!idleFault) return;
        connection.idle(idleFault.ms, () => {
          this.#count(idleFault.name);
          IDLE_FAULTS[idleFault.name](connection);
          this.#onIdleFault();
        });
      },
    };
    const run = (): void => {
      if (fault) {
        this.#count(fault);
        REQUEST_FAULTS[fault](exchange);
      } else {
        connection.write(exchange.answer());
        exchange.done();
      }
    };
    return { run, atHead: fault !== undefined && strikesAtHead(fault) };
  }

  #faultFor(head: RequestHead, times: number, random: Random): RequestFault | undefined {
    const [name, count = '1'] = head.header(DIRECTIVES.fault)?.split(' ') ?? [];
    if (name === undefined) {
      return head.header(DIRECTIVES.idle) === undefined ? random.oneOf(this.#plan.requests ?? {}) : undefined;
    }
    return times <= Number(count) ? (known(REQUEST_FAULTS, name) as RequestFault) : undefined;
  }

  #idleFaultFor(head: RequestHead, random: Random): { name: IdleFault; ms: number } | undefined {
    const [given, ms = '0'] = head.header(DIRECTIVES.idle)?.split(' ') ?? [];
    if (given !== undefined) return { name: known(IDLE_FAULTS, given) as IdleFault, ms: Number(ms) };
    if (head.header(DIRECTIVES.fault) !== undefined) return undefined;
    const name = random.oneOf(this.#plan.idle ?? {});
    return name === undefined
      ? undefined
      : { name, ms: random.between(...(this.#plan.idleAfter ?? [20, 200])) };
  }

  #count(fault: string): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1;
  }
}

function known(faults: object, name: string): string {
  if (!Object.hasOwn(faults, name)) throw new Error(`There is no fault called ${name}`);
  return name;
}
