/**
 * Warns of option names that are mistakes: one slip away from a known name, or another library's name for the same thing. Any other unknown
 * name is left alone: it may belong to a subclass, or to a user's `createConnection`. Each name causes one warning per process.
 */
import { isFirstWarning } from '../process-wide.js';
import { AGENT_OPTIONS, KNOWN_OPTIONS } from './known-options.js';

/** Names that other libraries have for options of ours, in lower case. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  // agentkeepalive, today and formerly
  ['freesockettimeout', 'idleTimeout'],
  ['freesocketkeepalivetimeout', 'idleTimeout'],
  ['keepalivetimeout', 'idleTimeout'],
  ['maxkeepalivetime', 'idleTimeout'],
  ['maxkeepaliverequests', 'maxRequestsPerSocket'],
  ['socketactivettl', 'maxSocketAge'],
  // undici
  ['bodytimeout', 'socketTimeout'],
  ['clientttl', 'maxSocketAge'],
  ['connections', 'maxSockets'],
  ['headerstimeout', 'socketTimeout'],
  ['keepalivemaxtimeout', 'maxIdleTimeout'],
  ['keepalivetimeoutthreshold', 'keepAliveTimeoutBuffer'],
  ['maxrequestsperclient', 'maxRequestsPerSocket'],
  // Go's http.Transport
  ['idleconntimeout', 'idleTimeout'],
  ['maxconnsperhost', 'maxSockets'],
  ['maxidleconns', 'maxTotalFreeSockets'],
  ['maxidleconnsperhost', 'maxFreeSockets'],
  ['tlshandshaketimeout', 'connectTimeout'],
  // Pools in general
  ['acquiretimeoutmillis', 'acquireTimeout'],
  ['connectiontimeout', 'connectTimeout'],
  ['connectiontimeoutmillis', 'connectTimeout'],
  ['idletimeoutmillis', 'idleTimeout'],
  ['maxconnections', 'maxSockets'],
  ['minidle', 'minFreeSockets'],
  ['minimumidle', 'minFreeSockets'],
  ['minconnections', 'minFreeSockets'],
  ['maxidlesockets', 'maxFreeSockets'],
  ['maxlifetime', 'maxSocketAge'],
  ['maxsocketsperhost', 'maxSockets'],
  ['maxtotalconnections', 'maxTotalSockets'],
  ['socketttl', 'maxSocketAge'],
  ['strictssl', 'rejectUnauthorized'],
]);

/** @param options what the user gave */
export function warnOfNames(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || value === null || KNOWN_OPTIONS.has(name)) continue;
    const likely = likelyName(name);
    if (likely === undefined || !isFirstWarning(`option ${name}`)) continue;
    const message = `The option ${JSON.stringify(name)} means nothing to PoolingAgent. Did you mean "${likely}"?`;
    process.emitWarning(message, { code: 'POOLING_AGENT_OPTION' });
  }
}

/** The option that the unknown `name` probably means; `undefined` if that is not clear. */
export function likelyName(name: string): string | undefined {
  // Private properties occur if an agent is spread into the options of another.
  if (name.length > MAX_LENGTH || name.startsWith('_')) return undefined;
  // `max_sockets` and `MAX-SOCKETS` count as `maxsockets`.
  const plain = name.replaceAll(/[_-]/g, '').toLowerCase();
  return (
    ELSEWHERE.get(plain) ??
    AGENT_OPTIONS.find((option) => option.toLowerCase() === plain) ??
    AGENT_OPTIONS.find((option) => isOneSlipAway(plain, option.toLowerCase()))
  );
}

/** Longer than any option, with a slip and with separators. */
const MAX_LENGTH = 50;

/** Shorter names are one slip away from too many words. */
const MIN_TO_MISS = 4;
const MIN_TO_REPLACE = 5;

/** Whether `name` is `option` with one letter missing, doubled, added, replaced, or with two letters swapped. */
function isOneSlipAway(name: string, option: string): boolean {
  let at = 0;
  while (at < option.length && name[at] === option[at]) at++;
  const after = option.slice(at);
  const rest = name.slice(at);
  if (rest.length === after.length + 1) {
    const isDoubled = at > 0 && rest[0] === name[at - 1];
    return rest.slice(1) === after && (option.length >= MIN_TO_MISS || isDoubled);
  }
  if (rest.length === after.length - 1) return rest === after.slice(1) && option.length >= MIN_TO_MISS;
  if (rest.length !== after.length) return false;
  if (rest[0] === after[1] && rest[1] === after[0] && rest.slice(2) === after.slice(2)) return true;
  return rest.slice(1) === after.slice(1) && option.length >= MIN_TO_REPLACE;
}
