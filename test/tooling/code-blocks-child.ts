/**
 * Runs the JavaScript of one page, block by block, as its reader would: the package is this build, and everything that a block takes for granted
 * (an agent, a client library, a server's address) is there. Ends with an error if a block throws, a request of it fails or never ends, or the
 * agent warns of an option.
 *
 * Arguments: the page's path, and the port of a server on localhost that NODE_EXTRA_CA_CERTS makes trusted.
 */
import assert from 'node:assert/strict';
import dns from 'node:dns';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { ClientRequest } from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { isIP } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';
import { createAgents, PoolingAgent, SessionCache } from '../../src/index.js';
import { inspector } from '../../src/inspect/index.js';
import { certificate } from '../support/certificate.js';
import { blocksOf } from '../support/pages.js';
import type { CodeBlock } from '../support/pages.js';
import { until } from '../support/until.js';

const [page = '', port = ''] = process.argv.slice(2);
const url = `https://localhost:${port}/`;
/** The server for `http:`. */
const plain = http.createServer((_req, res) => void res.end('plain')).listen(0, '127.0.0.1');
await once(plain, 'listening');
plain.unref();
const plainUrl = `http://localhost:${(plain.address() as AddressInfo).port}`;
/** For the files that blocks read and write, and for the blocks themselves: below the build, whose dependencies they find. */
const FOLDER = fs.mkdtempSync(new URL('../../code-block-', import.meta.url).pathname);

/** No block asks the network for anything. */
const { lookup } = dns;
dns.lookup = ((name: string, ...rest: unknown[]) => {
  if (name === 'localhost' || isIP(name)) return Reflect.apply(lookup, dns, [name, ...rest]);
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), {
    code: 'ENOTFOUND',
    hostname: name,
  });
  process.nextTick(rest.at(-1) as (error: Error) => void, error);
  return {};
}) as typeof dns.lookup;
syncBuiltinESMExports();

const started: ClientRequest[] = [];
diagnostics.subscribe('http.client.request.start', (message) => {
  started.push((message as { request: ClientRequest }).request);
});

const warnings: Error[] = [];
process.on('warning', (warning) => {
  if (String((warning as { code?: unknown }).code).startsWith('POOLING_AGENT')) warnings.push(warning);
});

/** A client that ends what it was given, as those of the AWS SDK do. */
class S3Client {
  readonly #handler: { destroy(): void };
  constructor({ requestHandler }: { requestHandler: { destroy(): void } }) {
    this.#handler = requestHandler;
  }
  destroy(): void {
    this.#handler.destroy();
  }
}

/** Loaded where the page speaks of them: all of them take seconds. */
const CLIENTS: Record<string, () => Promise<unknown>> = {
  axios: async () => (await import('axios')).default,
  fetch: async () => (await import('node-fetch')).default,
  followRedirects: async () => (await import('follow-redirects')).default,
  got: async () => (await import('got')).default,
  metrics: async () => (await import('@opentelemetry/api')).metrics,
  needle: async () => (await import('needle')).default,
  NodeHttpHandler: async () => (await import('@smithy/node-http-handler')).NodeHttpHandler,
  registry: async () => new (await import('prom-client')).Registry(),
  superagent: async () => (await import('superagent')).default,
  WebSocket: async () => (await import('ws')).WebSocket,
};

/** Anew for each block: the last one may have closed the agent. */
async function surround(code: string): Promise<void> {
  const { cert, key } = await certificate();
  fs.writeFileSync(join(FOLDER, 'tls.crt'), cert);
  fs.writeFileSync(join(FOLDER, 'tls.key'), key);
  const agent = new PoolingAgent({ name: 'page' });
  const server = http.createServer().listen(0, '127.0.0.1');
  server.unref();
  const node = { assert, fs, https, tls };
  const agents = {
    agent,
    payments: new PoolingAgent({ name: 'payments' }),
    search: new PoolingAgent({ name: 'search' }),
    inspect: inspector([agent]),
  };
  const values = { cert, file: join(FOLDER, 'sessions'), key, server, url };
  const doubles = {
    app: { use: () => {} },
    log: { error: () => {}, info: () => {}, warn: () => {} },
  };
  Object.assign(
    globalThis,
    { createAgents, PoolingAgent, SessionCache, S3Client },
    node,
    agents,
    values,
    doubles,
  );
  if (/\breq\b/.test(code))
    Object.assign(globalThis, { req: https.get(url, { agent }, (res) => void res.resume()) });
  for (const [name, load] of Object.entries(CLIENTS))
    if (code.includes(name)) Object.assign(globalThis, { [name]: await load() });
}

/** Whatever the page is about, here it is on the loopback. */
function translated(code: string): string {
  const entry = (name: string): string => new URL(`../../src/${name}`, import.meta.url).href;
  return code
    .replaceAll(/(from|import\() ?'pooling-https-agent'/g, `$1 '${entry('index.js')}'`)
    .replaceAll(
      /(from|import\() ?'pooling-https-agent\/([\w-]+)'/g,
      (_, word, name) => `${word} '${entry(`${name}/index.js`)}'`,
    )
    .replaceAll(/https:\/\/(?:[\w-]+\.)*example\.com/g, url.slice(0, -1))
    .replaceAll('http://service.internal:8080', plainUrl)
    .replaceAll('.listen(9000)', '.listen(0)');
}

async function run({ code, line }: CodeBlock): Promise<void> {
  await surround(code);
  started.length = 0;
  // Lines of a stack are those of the page.
  const file = join(FOLDER, `line-${line}.mjs`);
  fs.writeFileSync(file, '\n'.repeat(line - 1) + translated(code));
  await import(pathToFileURL(file).href);
  if (process.listenerCount('SIGTERM') > 0) process.emit('SIGTERM', 'SIGTERM');
  await until(() => started.every(({ closed }) => closed));
  // Late exceptions of a request.
  await sleep(10);
  assert.deepEqual(warnings, []);
  process.removeAllListeners('SIGTERM');
}

process.chdir(FOLDER);
try {
  for (const block of blocksOf(page)) {
    if (block.language === 'js') {
      console.log(`${page}:${block.line}`);
      await run(block);
    }
  }
  console.log('done');
} finally {
  fs.rmSync(FOLDER, { recursive: true });
}
process.exit();
