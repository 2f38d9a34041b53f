// `npm run check:house`: checks the order of the rooms of src/, for which the linter has no rules. Imports, of types too, lead down the list of
// rooms; only node/ looks behind Node's public API; agent/ uses the front of connections/ only; planning imports nothing else; what is to be loaded late is
// imported by nothing that is loaded before; no file is too long, and each begins with a comment.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { eagerImports } from './lib/eager-imports.mjs';
import { root } from './lib/run.mjs';

/** From the top of the house to its ground. A file in src/ itself is a room of its own. */
const ROOMS = [
  // Entries of their own, and what they share.
  'inspect',
  'opentelemetry',
  'prometheus',
  'undici',
  'telemetry',
  'index',
  'agent',
  'observe',
  'lifecycle',
  'connections',
  'lifetimes',
  'egress',
  'options',
  'sessions',
  'requests',
  'tls',
  // These lines name hosts and records of the pool; debug.ts, which prints them, lies at the bottom.
  'debug-lines',
  'limits',
  'identity',
  'validate',
  'errors',
  'received',
  'pool',
  'recently-used',
  'late',
  'node',
  'debug',
  'process-wide',
];

/** Planning: the pool gets all that it knows of the world from its driver. */
const SELF_CONTAINED = new Set(['pool']);

/** The files that form the front of a room. Other rooms use no file behind it. */
const FRONTS = {
  connections: {
    for: new Set(['agent', 'observe', 'lifecycle']),
    files: [
      'agent-pool',
      'driven-agent',
      'free-listener',
      'observer',
      'pool-key',
      'pooled-socket',
      'dials/spare-connections',
      'dials/spare-request',
      'dials/plain-transport',
      'sharing',
      'dials/tls-transport',
      'dials/transport',
    ],
  },
};

/** Names that Node's documentation does not have. Only node/ may use them, and any other name that begins with an underscore. */
const INTERNALS = [
  'Function.prototype.toString',
  '_events',
  '_eventsCount',
  'asyncReset',
  'async_id_symbol',
  'getAsyncId',
  'getOwnPropertySymbols',
  'getpeername',
  'getProviderType',
  'hasRef',
  'kError',
  'kFlushError',
  'kNeedDrain',
  'kProxyConfig',
  'kWaitForProxyTunnel',
  'kWritableFinished',
  'outputData',
  'outputSize',
  'ownSymbol',
  'parser',
  'readStart',
  'readStop',
  'timeoutCb',
  'useChunkedEncodingByDefault',
  'writeQueueSize',
];

/** Methods and fields of Node's agent that callers and subclasses use, documented or not: our agent has them, too. */
const AGENT_MEMBERS = new Set(['_cacheSession', '_evictSession', '_getSession', '_sessionCache']);

/** Words that begin with an underscore by the conventions of others. */
const CONVENTIONS = new Set(['_OTHER']);

/** The live page, which the build makes: most of it is a library for browsers. */
const MADE = 'inspect/page-html.ts';

const MAX_LINES = 400;

const src = join(root, 'src');
const files = readdirSync(src, { recursive: true })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && file !== MADE);
const problems = [...files.flatMap((file) => [...problemsOf(file)]), ...eagerImports()];
for (const problem of problems) console.log(`src/${problem}`);
console.log(`${files.length} files in src/, ${problems.length} out of order`);
process.exitCode = problems.length === 0 ? 0 : 1;

function* problemsOf(file) {
  const text = readFileSync(join(src, file), 'utf8');
  const lines = text.split('\n').length - 1;
  if (lines > MAX_LINES) yield `${file}: more than ${MAX_LINES} lines`;
  if (!text.startsWith('/**')) yield `${file}: no comment at its top that says what it is for`;
  for (const [, specifier] of text.matchAll(/\b(?:from|import) '(\.{1,2}\/[^']+)'/g)) {
    const target = relative(src, resolve(src, dirname(file), specifier)).replaceAll('\\', '/');
    if (levelOf(target) < levelOf(file)) yield `${file}: imports ${target}, which lies above it`;
    else if (SELF_CONTAINED.has(roomOf(file)) && roomOf(target) !== roomOf(file))
      yield `${file}: imports ${target}, and its room needs no other`;
    else if (passesFront(file, target)) yield `${file}: imports ${target}, which is behind its room's front`;
  }
  if (roomOf(file) === 'node') return;
  for (const name of internalsIn(withoutComments(text)))
    yield `${file}: names ${name}, which is for node/ to know`;
}

function internalsIn(code) {
  const names = INTERNALS.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
  const underscored = [...code.matchAll(/(?:\.|'|\{ |, )(_[a-z]\w*)\b(?!\??:)/gi)].map(([, name]) => name);
  return new Set([
    ...names,
    ...underscored.filter((name) => !AGENT_MEMBERS.has(name) && !CONVENTIONS.has(name)),
  ]);
}

function passesFront(file, target) {
  const front = FRONTS[roomOf(target)];
  if (!front?.for.has(roomOf(file))) return false;
  return !front.files.some((name) => target === `${roomOf(target)}/${name}.js`);
}

function roomOf(file) {
  return file.split('/')[0].replace(/\.(?:ts|js)$/, '');
}

function levelOf(file) {
  const level = ROOMS.indexOf(roomOf(file));
  if (level === -1) throw new Error(`src/${file} is in no room of the list`);
  return level;
}

function withoutComments(text) {
  return text.replaceAll(/\/\*[^]*?\*\//g, '').replaceAll(/(?<![:'"])\/\/.*/g, '');
}
