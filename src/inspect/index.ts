/**
 * `pooling-https-agent/inspect`: a live page about agents. It is read-only: no request to it changes anything, and it shows no secrets beyond the names of
 * hosts and the connections to them.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { invalidState, invalidType, outOfRange } from '../errors.js';
import { optional, optionsObject, positiveDuration } from '../validate.js';
import { AgentList } from './agents.js';
import type { Agents } from './agents.js';
import { isLocal } from './local-only.js';
import { head, refuse, sendPage } from './page.js';
import type { Opened } from './reader.js';
import { Watch } from './watch.js';

export type { Agents } from './agents.js';

/** The options of `inspector()`. */
export interface InspectorOptions {
  /** The title of the page. Default: `'Connections'`. */
  readonly title?: string | undefined;
  /** Milliseconds between two samples of the agents. 100 at least; default: 1,000. */
  readonly interval?: number | undefined;
  /** Milliseconds that the charts show. At most 600 intervals; default: 300,000 (five minutes). */
  readonly history?: number | undefined;
}

/** A request handler that answers with the page, and with the events that feed it. Can be mounted in any server, below any path. */
export interface Inspector {
  (req: IncomingMessage, res: ServerResponse): void;
  /**
   * Serves the page at `http://127.0.0.1:PORT/`, to this machine only, and answers no request that was made under another name. The server does not keep
   * the process alive.
   *
   * @param port 0, the default: any free port
   * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`; `ERR_INVALID_STATE` after `close()`. For a port that is taken the server emits 'error', as any of Node's
   */
  listen(port?: number, onListening?: () => void): Server;
  /** Ends the streams of all readers, closes the servers of `listen`, and takes no more samples, for good: later requests are answered with 503. */
  close(): void;
}

/**
 * @param agents one agent, several in an array or a set (which may change), or a function that returns them
 * @throws `ERR_INVALID_ARG_TYPE`, `ERR_OUT_OF_RANGE`
 */
export function inspector(agents: Agents, options?: InspectorOptions | null): Inspector {
  const watch = new Watch(new AgentList(agents), checked(optionsObject(options)));
  const servers = new Set<Server>();

  const handler = (req: IncomingMessage, res: ServerResponse): void => answer(watch, req, res);

  const listen = (port = 0, onListening?: () => void): Server => {
    if (watch.isEnded) throw invalidState('The inspector was closed');
    const server = createServer((req, res) => {
      if (!isLocal(req.headers)) refuse(res, 403, 'This page is for this machine only.');
      else if (!/^\/(?:\?|$)/.test(req.url ?? '')) refuse(res, 404, 'The page is at /.');
      else handler(req, res);
    });
    server.on('connection', (socket: Socket) => socket.unref());
    server.on('close', () => servers.delete(server));
    servers.add(server);
    server.listen(portOf(port), '127.0.0.1', onListening);
    return server.unref();
  };

  const close = (): void => {
    watch.end();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  };

  return Object.assign(handler, { listen, close });
}

const DEFAULTS = { title: 'Connections', interval: 1000, history: 300_000 };
const SHORTEST = 100;
const MOST_SAMPLES = 600;

function checked(options: object): typeof DEFAULTS {
  const title = optional(options, 'title', text, DEFAULTS.title);
  const interval = optional(options, 'interval', positiveDuration, DEFAULTS.interval);
  if (!(interval >= SHORTEST && interval < 2 ** 31))
    throw outOfRange('options.interval', `a number of milliseconds >= ${SHORTEST}`, interval);
  const history = optional(
    options,
    'history',
    positiveDuration,
    Math.min(DEFAULTS.history, MOST_SAMPLES * interval),
  );
  if (history > MOST_SAMPLES * interval)
    throw outOfRange(
      'options.history',
      `at most ${MOST_SAMPLES} intervals (${MOST_SAMPLES * interval} ms)`,
      history,
    );
  return { title, interval, history };
}

function text(name: string, value: unknown): string {
  if (typeof value !== 'string') throw invalidType(name, 'of type string', value);
  return value;
}

function portOf(port: unknown): number {
  if (typeof port !== 'number') throw invalidType('port', 'of type number', port);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535))
    throw outOfRange('port', 'an integer >= 0 and <= 65535', port);
  return port;
}

function answer(watch: Watch, req: IncomingMessage, res: ServerResponse): void {
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    refuse(res, 405, 'This page is read-only.', { allow: 'GET, HEAD' });
    return;
  }
  if (watch.isEnded) {
    refuse(res, 503, 'The inspector was closed.');
    return;
  }
  const { url = '' } = req;
  const query = new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '');
  if (!query.has('events')) {
    sendPage(res);
    return;
  }
  if (!watch.hasRoom) {
    refuse(res, 503, 'As many others are looking as there is room for.', { 'retry-after': '10' });
    return;
  }
  head(res, 200, 'text/event-stream', { 'x-accel-buffering': 'no' });
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  const last = req.headers['last-event-id'];
  watch.join(req, res, openedIn(query), typeof last === 'string' ? last : (query.get('after') ?? ''));
}

function openedIn(query: URLSearchParams): Opened | undefined {
  const host = query.get('host');
  return host === null ? undefined : { agent: Number(query.get('agent')), host };
}
