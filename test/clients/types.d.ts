/** Types that the tests use, of clients that bring none of their own. */

declare module 'node-fetch-2' {
  import type { Agent } from 'node:https';
  import type { Readable } from 'node:stream';

  export interface Init {
    method?: string;
    body?: string | Readable;
    agent?: Agent | ((url: URL) => Agent);
    signal?: AbortSignal | undefined;
    timeout?: number | undefined;
  }
  export interface Response {
    readonly status: number;
    readonly body: Readable;
    text(): Promise<string>;
  }
  export default function fetch(url: string, init: Init): Promise<Response>;
}

declare module 'superagent' {
  import type { Agent } from 'node:https';
  import type { Writable } from 'node:stream';

  export interface Response {
    readonly status: number;
    readonly text: string;
    readonly type: string;
  }
  export interface Request extends Writable, PromiseLike<Response> {
    agent(agent: Agent): this;
    ca(ca: string): this;
    timeout(milliseconds: number): this;
    retry(times: number): this;
    buffer(on: boolean): this;
    abort(): this;
    /** `pipe` means the response here. */
    pipe<T extends NodeJS.WritableStream>(target: T): T;
  }
  const superagent: (method: string, url: string) => Request;
  export default superagent;
}

declare module 'needle' {
  import type { IncomingMessage } from 'node:http';
  import type { Agent } from 'node:https';
  import type { Readable } from 'node:stream';

  export interface Options {
    agent?: Agent;
    ca?: string;
    signal?: AbortSignal | undefined;
    open_timeout?: number;
    response_timeout?: number | undefined;
    read_timeout?: number;
    follow_max?: number;
    compressed?: boolean;
    rejectUnauthorized?: boolean;
  }
  export interface Response extends IncomingMessage {
    readonly statusCode: number;
    readonly body: unknown;
  }
  function needle(
    method: string,
    url: string,
    data: string | Readable | null,
    options: Options,
  ): Promise<Response>;
  namespace needle {
    /** Without a callback: the body, with the events `response` and `err`. */
    function get(url: string, options: Options): Readable;
  }
  export default needle;
}

declare module 'follow-redirects' {
  import type { IncomingMessage } from 'node:http';
  import type { RequestOptions } from 'node:https';
  import type { Writable } from 'node:stream';

  export interface Request extends Writable {
    abort(): void;
    setTimeout(milliseconds: number, callback?: () => void): this;
  }
  interface Module {
    request(url: string, options: RequestOptions, callback: (res: IncomingMessage) => void): Request;
  }
  const modules: { readonly http: Module; readonly https: Module };
  export default modules;
}

declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { Agent, Server } from 'node:https';
  import type { IncomingMessage } from 'node:http';
  import type { Duplex } from 'node:stream';

  export interface Options {
    agent?: Agent;
    handshakeTimeout?: number;
    followRedirects?: boolean;
  }
  export class WebSocket extends EventEmitter {
    constructor(url: string, options: Options);
    send(data: string | Buffer): void;
    close(code: number): void;
    terminate(): void;
  }
  export interface ServerOptions {
    noServer?: true;
    server?: Server;
    verifyClient?: (info: { req: IncomingMessage }, done: (accept: boolean) => void) => void;
  }
  export class WebSocketServer extends EventEmitter {
    constructor(options: ServerOptions);
    handleUpgrade(req: IncomingMessage, socket: Duplex, head: Buffer, done: (ws: WebSocket) => void): void;
  }
}

/** The part of it that we use is as in nock 14. */
declare module 'nock-15' {
  import nock from 'nock';
  export default nock;
}
