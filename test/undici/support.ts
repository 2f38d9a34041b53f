/** Every fetch and every undici that there is in this Node, and handlers that note what they are told. */
import assert from 'node:assert/strict';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type * as undici7 from 'undici';
import { dispatcher } from '../../src/undici/index.js';
import type {
  AgentDispatcher,
  DispatchController,
  DispatcherOptions,
  DispatchHandler,
  DispatchOptions,
} from '../../src/undici/index.js';
import type { PoolingAgent, PoolingAgentOptions } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { httpsServer } from '../support/server.js';
import type { TestServer } from '../support/server.js';
import type { RequestListener } from 'node:http';

export const LIMIT = { timeout: 120_000 };

/** The functions are the same in all versions, as far as the tests go. */
export type Undici = typeof undici7;

const VERSIONS: Record<string, () => Promise<unknown>> = {
  'undici 6': () => import('undici-6'),
  'undici 7': () => import('undici'),
  // Wants Node 22.19.
  'undici 8': () => import('undici-8'),
};

async function load(): Promise<[name: string, undici: Undici][]> {
  const loaded: [string, Undici][] = [];
  for (const [name, importIt] of Object.entries(VERSIONS)) {
    try {
      loaded.push([name, (await importIt()) as Undici]);
    } catch (error) {
      if (name !== 'undici 8') throw error;
    }
  }
  return loaded;
}

/** The versions of undici that load in this Node. */
export const undicis: readonly (readonly [name: string, undici: Undici])[] = await load();

export type Fetches = Pick<Undici, 'fetch' | 'FormData' | 'Headers' | 'Request' | 'Response'>;

/** The same, and Node's own. */
export const fetches: readonly (readonly [name: string, fetches: Fetches])[] = [
  ["Node's fetch", globalThis as unknown as Fetches],
  ...undicis,
];

export interface Setup {
  readonly server: TestServer;
  readonly agent: PoolingAgent;
  readonly dispatcher: AgentDispatcher;
}

/** A server, an agent that trusts it, and a dispatcher over that. */
export async function setUp(
  t: TestContext,
  listener?: RequestListener,
  options: PoolingAgentOptions = {},
  dispatching?: DispatcherOptions,
): Promise<Setup> {
  const server = await httpsServer(t, listener);
  const agent = poolingAgent(t, { ca: server.ca, ...options });
  return { server, agent, dispatcher: dispatcher(agent, dispatching) };
}

export const KINDS = ['old', 'new'] as const;
export type Kind = (typeof KINDS)[number];

/** The actions of a handler of either kind on its request. */
export interface Controls {
  abort(reason?: Error): void;
  pause(): void;
  resume(): void;
}

/** The test's action while the handler is called. */
export interface Hooks {
  started?(controls: Controls): void;
  headers?(status: number, controls: Controls): void;
  data?(chunk: Buffer, controls: Controls): void;
  ended?(): void;
  upgraded?(socket: Duplex): void;
}

export interface Told {
  /** In order: 'start', 'info 103', 'headers 200', 'data', 'end', 'error', 'upgrade 101', 'sent'. Several 'data' in a row count as one. */
  readonly events: string[];
  readonly handler: DispatchHandler;
  /** Resolves at the first end. */
  readonly over: Promise<void>;
  controls: Controls;
  body: string;
  error: (Error & { code?: string }) | undefined;
  headers: Record<string, unknown>;
  /** As pairs of text. */
  rawHeaders: string[];
  trailers: Record<string, unknown>;
  info: Record<string, unknown>[];
  socket: Duplex | undefined;
  ends: number;
  bodySent: number;
  controller: DispatchController | undefined;
}

const NO_CONTROLS: Controls = { abort: () => {}, pause: () => {}, resume: () => {} };

/** A handler of that kind. */
export function recorder(kind: Kind, hooks: Hooks = {}): Told {
  let end!: () => void;
  const over = new Promise<void>((resolve) => (end = resolve));
  const told: Told = {
    events: [],
    handler: {},
    over,
    controls: NO_CONTROLS,
    body: '',
    error: undefined,
    headers: {},
    rawHeaders: [],
    trailers: {},
    info: [],
    socket: undefined,
    ends: 0,
    bodySent: 0,
    controller: undefined,
  };
  const note = (event: string): void => {
    if (event !== 'data' || told.events.at(-1) !== 'data') told.events.push(event);
  };
  const ended = (event: string): void => {
    told.ends++;
    note(event);
    end();
  };
  Object.assign(told.handler, (kind === 'old' ? oldHandler : newHandler)(told, hooks, note, ended));
  return told;
}

type Note = (event: string) => void;

function newHandler(told: Told, hooks: Hooks, note: Note, ended: Note): DispatchHandler {
  return {
    onRequestStart(controller) {
      told.controller = controller;
      told.controls = controller;
      note('start');
      hooks.started?.(told.controls);
    },
    onResponseStart(controller, status, headers) {
      assert.equal(controller, told.controller);
      note(status < 200 ? `info ${status}` : `headers ${status}`);
      if (status < 200) told.info.push(headers);
      else Object.assign(told, { headers, rawHeaders: (controller.rawHeaders as Buffer[]).map(String) });
      hooks.headers?.(status, told.controls);
    },
    onResponseData(_controller, chunk) {
      note('data');
      told.body += chunk.toString('latin1');
      hooks.data?.(chunk, told.controls);
    },
    onResponseEnd(_controller, trailers) {
      told.trailers = trailers;
      ended('end');
      hooks.ended?.();
    },
    onResponseError(_controller, error) {
      told.error = error;
      ended('error');
    },
    onRequestUpgrade(_controller, status, headers, socket) {
      Object.assign(told, { headers, socket });
      ended(`upgrade ${status}`);
      hooks.upgraded?.(socket);
    },
    ...sending(told, note),
  };
}

function oldHandler(told: Told, hooks: Hooks, note: Note, ended: Note): DispatchHandler {
  let isPaused = false;
  let resume = (): void => {};
  const pause = (): void => void (isPaused = true);
  const answer = (): boolean => {
    const goesOn = !isPaused;
    isPaused = false;
    return goesOn;
  };
  return {
    onConnect(abort) {
      told.controls = { abort, pause, resume: () => resume() };
      note('start');
      hooks.started?.(told.controls);
    },
    onHeaders(status, raw, resumeIt) {
      resume = resumeIt;
      note(status < 200 ? `info ${status}` : `headers ${status}`);
      const texts = raw.map(String);
      if (status < 200) told.info.push(objectOf(texts));
      else Object.assign(told, { headers: objectOf(texts), rawHeaders: texts });
      hooks.headers?.(status, told.controls);
      return answer();
    },
    onData(chunk) {
      note('data');
      told.body += chunk.toString('latin1');
      hooks.data?.(chunk, told.controls);
      return answer();
    },
    onComplete(trailers) {
      told.trailers = objectOf((trailers ?? []).map(String));
      ended('end');
      hooks.ended?.();
    },
    onError(error) {
      told.error = error;
      ended('error');
    },
    onUpgrade(status, raw, socket) {
      Object.assign(told, { headers: objectOf(raw.map(String)), socket });
      ended(`upgrade ${status}`);
      hooks.upgraded?.(socket);
    },
    ...sending(told, note),
  };
}

function sending(told: Told, note: Note): DispatchHandler {
  return {
    onBodySent: (chunk: Buffer) => void (told.bodySent += chunk.length),
    onRequestSent: () => note('sent'),
  };
}

function objectOf(raw: readonly string[]): Record<string, unknown> {
  const pairs: [string, unknown][] = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([(raw[i] ?? '').toLowerCase(), raw[i + 1]]);
  return Object.fromEntries(pairs);
}

/** Dispatches, and waits until it is over; whatever would come twice has come by then. */
export async function run(
  over: { dispatch(options: DispatchOptions, handler: DispatchHandler): boolean },
  options: DispatchOptions,
  told: Told,
): Promise<Told> {
  over.dispatch(options, told.handler);
  await told.over;
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  assert.equal(told.ends, 1, 'a handler hears of one end');
  return told;
}
