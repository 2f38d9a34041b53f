/**
 * Reads the headers of a request of Node's client. Headers that were given as a list, or with `Expect`, exist only as the text that Node will
 * send; `getHeader` has all others.
 */
import { OutgoingMessage } from 'node:http';
import { Capability } from './capability.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest } from './types.js';

/** Read when this module is loaded: tracers may replace it later, and are to be called then. */
const { getHeader } = OutgoingMessage.prototype;

type Given = Readonly<Record<string, readonly [name: string, value: unknown] | undefined>>;

let kHeaders: symbol | undefined;

export const headersByName: Capability = new Capability(
  'a request keeps its headers by their names in lower case',
  'it takes longer to read a header of a request',
  () => {
    const probe = new OutgoingMessage();
    probe.setHeader('Probe', 'value');
    kHeaders = ownSymbol(probe, 'kOutHeaders');
    return kHeaders !== undefined && givenIn(probe, kHeaders)?.['probe']?.[1] === 'value';
  },
);

function givenIn(message: object, symbol: symbol): Given | null | undefined {
  return (message as Record<symbol, Given | null | undefined>)[symbol];
}

/**
 * Hot path. As `req.getHeader(name)`, for a name in lower case. That checks the name and changes its case, which takes longer than to find
 * the header. `undefined`: there is no such header, or the request is a custom one and has none.
 */
export function givenHeader(req: AgentRequest, name: string): unknown {
  if (req.getHeader === getHeader && headersByName.holds)
    return givenIn(req, kHeaders as symbol)?.[name]?.[1];
  return typeof req.getHeader === 'function' ? req.getHeader(name) : undefined;
}

/** A pattern for each header that was ever asked for, of which there are few: making one takes longer than finding it. */
const linesNamed = new Map<string, RegExp>();

/** The value of a header as it was given, in any letter case: text, a number, or a list. `undefined`: there is none. */
export function headerOf(req: AgentRequest, name: string): unknown {
  const value = givenHeader(req, name);
  if (value !== undefined || typeof req._header !== 'string') return value;
  let pattern = linesNamed.get(name);
  if (!pattern) linesNamed.set(name, (pattern = new RegExp(`^${name}:[ \\t]*(.*)$`, 'gim')));
  if (req._header.search(pattern) < 0) return undefined;
  const lines = [...req._header.matchAll(pattern)];
  return lines.length > 1 ? lines.map((line) => line[1]) : lines[0]?.[1];
}

/** Whether `req` has any header of these names, which are in lower case. */
export function hasAnyHeader(req: AgentRequest, names: readonly string[]): boolean {
  if (req.getHeader === getHeader && headersByName.holds) {
    const given = givenIn(req, kHeaders as symbol);
    // If the host is among the headers that are kept by name, all are, and the text need not be read.
    if (given?.['host'] !== undefined) return hasAny(given, names);
  }
  return names.some((name) => headerOf(req, name) !== undefined);
}

function hasAny(given: Given, names: readonly string[]): boolean {
  for (let i = 0; i < names.length; i++) if (given[names[i] as string] !== undefined) return true;
  return false;
}

/**
 * Hot path. Whether `req` says that it is the last one on its connection: then none may follow, whatever the response says (RFC 9112,
 * section 9.6). Node's client heeds only what the response says.
 */
export function saysClose(req: AgentRequest): boolean {
  try {
    return namesClose(req);
  } catch {
    // The header is an object whose `toString` throws.
    return true;
  }
}

/** Hot path. */
function namesClose(req: AgentRequest): boolean {
  const value = givenHeader(req, 'connection');
  // If the host is among the headers that are kept by name, all are, and the text need not be read.
  if (value === undefined && givenHeader(req, 'host') !== undefined) return false;
  return String(value ?? headerOf(req, 'connection'))
    .split(',')
    .some(isClose);
}

function isClose(option: string): boolean {
  return option.trim().toLowerCase() === 'close';
}

/**
 * Hot path. Whether the head of `req` does not say where a body ends. Node's client sends the body of a GET, say, all the same, and the server takes
 * it for the next request on the connection.
 */
export function leavesEndOpen(req: AgentRequest): boolean {
  return req._last === true && req._contentLength !== 0;
}

/** Hot path. Whether the method of `req` often has a body: Node sends that in chunks if its length is not known. */
export function mayHaveBody(req: AgentRequest): boolean {
  return req.useChunkedEncodingByDefault;
}
