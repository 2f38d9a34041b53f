/**
 * Sends requests to fault servers and keeps the books: each must end once, and no response may reach a request that it
 * was not sent for. Each breach of these rules is told by request, in `wrong`.
 *
 * One kind of mix-up is nobody's fault and counted apart, as `crossed`: a stray response that left the server when the
 * request was already on its way (see fault-server/responses.ts).
 */
import type { IncomingMessage } from 'node:http';
import { request } from './protocol.js';
import type { Agent } from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { FaultServer } from './fault-server/index.js';
import { knowable, tagOf, turnOfLoop } from './fault-server/responses.js';

export interface Shot {
  readonly server: FaultServer;
  /** Default: `localhost`. Every name leads to the loopback, if the agent has `loopback` for its `lookup`. */
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds between the two halves of the body. Default: sent at once. */
  readonly bodyPause?: number;
  /** Milliseconds after which the request is destroyed. */
  readonly abortAfter?: number;
  /** Milliseconds after which it is given up: for servers that never answer. Default: what `patience` of the client says. */
  readonly patience?: number;
  /** Lets the response wait for a turn of the loop between two pieces. */
  readonly slowReader?: boolean;
}

/** `crossed`: it got another one's response, which it could not know. */
export type Outcome = 'answered' | 'failed' | 'aborted' | 'crossed' | 'wrong';

/** More requests than so many are not given up in a row because a server stalls: it is the machine. */
const TOO_MANY = 10;

export class TaggedClient {
  readonly agent: Agent;
  readonly outcomes: Record<Outcome, number> = { answered: 0, failed: 0, aborted: 0, crossed: 0, wrong: 0 };
  /** By the errors' codes. */
  readonly errors: Record<string, number> = {};
  /** Requests on a connection that had served another one. */
  reused = 0;
  sent = 0;
  /** The problems that were found, a line each. */
  readonly wrong: string[] = [];
  /** Requests that have not ended. */
  readonly pending: Set<string> = new Set();
  /** Milliseconds after which a request is given up that does not say when. They become more on a machine that is too busy to answer by then. */
  patience = 400;
  /** Since then: requests that were given up, less those that were answered. */
  #inVain = 0;
  readonly #prefix: string;

  /** @param prefix of all ids: for several clients with the same server */
  constructor(agent: Agent, prefix = '') {
    this.agent = agent;
    this.#prefix = prefix;
  }

  /** Resolves when the request has ended. */
  send(shot: Shot): Promise<Outcome> {
    const id = `${this.#prefix}${this.sent++}`;
    this.pending.add(id);
    return new Promise((resolve) => {
      const attempt = new Attempt(id, shot, this);
      attempt.start((outcome) => {
        this.pending.delete(id);
        this.outcomes[outcome]++;
        if (outcome === 'answered') this.#inVain = Math.max(0, this.#inVain - 1);
        resolve(outcome);
      });
    });
  }

  gaveUp(): void {
    if (++this.#inVain < TOO_MANY) return;
    this.#inVain = 0;
    this.patience *= 2;
  }
}

class Attempt {
  readonly #id: string;
  readonly #shot: Shot;
  readonly #client: TaggedClient;
  #outcome: Outcome = 'failed';
  #errors = 0;
  #responses = 0;
  #closes = 0;
  /** The turn of the loop in which the request was written, at the earliest. */
  #turn = 0;
  #error: NodeJS.ErrnoException | undefined;
  /** The events so far, for error messages. */
  readonly #history: string[] = [];

  constructor(id: string, shot: Shot, client: TaggedClient) {
    this.#id = id;
    this.#shot = shot;
    this.#client = client;
  }

  start(onEnd: (outcome: Outcome) => void): void {
    const { server, host = 'localhost', method = 'GET', headers, body, ...shot } = this.#shot;
    const { agent } = this.#client;
    const req = request({
      host,
      port: server.port,
      path: `/${this.#id}`,
      method,
      agent,
      headers: { ...headers },
    });
    const timers: NodeJS.Timeout[] = [];
    const after = (ms: number, action: () => void): void => void timers.push(setTimeout(action, ms));

    req.on('socket', (socket: TLSSocket | Socket) => {
      this.#history.push(`${req.reusedSocket ? 'used ' : ''}socket ${socket.localPort}`);
      if (req.reusedSocket) this.#client.reused++;
      this.#turn = turnOfLoop();
      if ('secureConnecting' in socket && socket.secureConnecting) {
        socket.once('secureConnect', () => (this.#turn = turnOfLoop()));
      }
    });
    req.on('response', (res) => this.#onResponse(res));
    req.on('error', (error) => {
      this.#history.push(error.message);
      this.#error = error;
      if (++this.#errors > 1) this.#complain(`a second error: ${error.message}`);
      if (this.#closes > 0) this.#complain(`an error after 'close': ${error.message}`);
    });
    req.on('close', () => {
      this.#history.push('close');
      if (++this.#closes > 1) this.#complain("a second 'close'");
      if (this.#closes > 1) return;
      for (const timer of timers) clearTimeout(timer);
      if (this.#error) {
        const name = this.#error.code ?? this.#error.message;
        this.#client.errors[name] = (this.#client.errors[name] ?? 0) + 1;
      }
      onEnd(this.#outcome);
    });
    after(shot.patience ?? this.#client.patience, () => {
      this.#client.gaveUp();
      req.destroy(new Error('given up'));
    });
    req.on('finish', () => this.#history.push('finish'));
    if (shot.abortAfter !== undefined) {
      after(shot.abortAfter, () => {
        if (this.#outcome !== 'failed') return;
        this.#outcome = 'aborted';
        this.#history.push('abort');
        req.destroy();
      });
    }
    if (body === undefined || shot.bodyPause === undefined) {
      req.end(body);
    } else {
      const middle = Math.ceil(body.length / 2);
      req.write(body.slice(0, middle));
      after(shot.bodyPause, () => req.end(body.slice(middle)));
    }
  }

  #onResponse(res: IncomingMessage): void {
    this.#history.push(`response ${res.statusCode}`);
    if (++this.#responses > 1) this.#complain('a second response');
    if (this.#closes > 0) this.#complain("a response after 'close'");
    let body = '';
    res.setEncoding('latin1');
    res.on('data', (text: string) => {
      body += text;
      if (!this.#shot.slowReader) return;
      res.pause();
      setImmediate(() => res.resume());
    });
    res.on('error', () => {});
    const judge = (whole: boolean): void => {
      if (this.#outcome !== 'failed') return;
      const hasBody = whole && this.#shot.method !== 'HEAD';
      const verdict = this.#judge(res, tagOf({ headers: res.headers, body, whole: hasBody }));
      if (verdict !== 'answered' || whole) this.#outcome = verdict;
    };
    judge(false);
    res.on('end', () => judge(true));
  }

  #judge({ headers }: IncomingMessage, tag: string | undefined): Outcome {
    if (tag === this.#id) return 'answered';
    const serial = Number(headers['x-serial']);
    const written = this.#shot.server.find(serial);
    if (headers['x-attached'] === undefined && !knowable(written, this.#turn)) return 'crossed';
    const when =
      written?.turn === undefined ? '' : ` in turn ${written.turn}, the request in turn ${this.#turn}`;
    this.#complain(`answered with ${tag}, attached: ${headers['x-attached'] ?? 'no'}, written${when}`);
    return 'wrong';
  }

  #complain(what: string): void {
    this.#client.wrong.push(
      `${this.#shot.method ?? 'GET'} ${this.#id}: ${what} (${this.#history.join(', ')})`,
    );
  }
}

/** A `lookup` that finds every name on the loopback. One function, as agents tell connections apart by it. */
export const loopback: LookupFunction = (_name, options, callback) => {
  process.nextTick(() => {
    if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  });
};

/** Calls `task` a number of times, with a number at once. */
export async function times(
  count: number,
  concurrency: number,
  task: (index: number) => Promise<unknown>,
): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < count) await task(begun++);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}
