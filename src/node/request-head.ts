/**
 * The head of a request of Node's client, where it has to be another one on the way to a proxy: its target and some of its header fields. Node makes a head when the first of
 * the body is written; until then the target is `req.path` and the fields are those of `setHeader`. Afterwards the head is text, which may wait in the
 * output queue, before the body.
 */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { replaceHead } from './head-text.js';
import type { HeadFields } from './head-text.js';
import { givenHeader } from './request-headers.js';
import type { AgentRequest } from './types.js';

/** A name and a value. */
export type Field = readonly [name: string, value: string];

interface Internals extends HeadFields {
  path: string;
}

/** The values of the header `Host` of `req`, whether its head is made or not. */
export function hostsOf(req: AgentRequest): string[] {
  const { _header: head } = req;
  if (typeof head !== 'string') return [givenHeader(req, 'host') ?? []].flat().map(String);
  return [...head.matchAll(/\r\nhost:([^\r]*)(?=\r\n)/gi)].map(([, value = '']) => value);
}

/**
 * Gives `req`, nothing of which was sent yet, another target, and other header fields: `removed` go, which have come by an earlier call, and `added` come, unless it has
 * one of the same name.
 *
 * @returns those that were added
 * @throws for fields that are not valid
 */
export function changeHead(
  req: AgentRequest,
  target: string,
  removed: readonly Field[],
  added: readonly Field[],
): readonly Field[] {
  for (const [name, value] of added) {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  }
  const internals = req as unknown as Internals;
  const { _header: head } = internals;
  return typeof head === 'string'
    ? changeText(internals, head, target, removed, added)
    : changeFields(req, target, removed, added);
}

function changeFields(
  req: AgentRequest,
  target: string,
  removed: readonly Field[],
  added: readonly Field[],
): readonly Field[] {
  for (const [name] of removed) req.removeHeader(name);
  const missing = added.filter(([name]) => !req.hasHeader(name));
  for (const [name, value] of missing) req.appendHeader(name, value);
  (req as unknown as Internals).path = target;
  return missing;
}

function changeText(
  req: Internals,
  head: string,
  target: string,
  removed: readonly Field[],
  added: readonly Field[],
): readonly Field[] {
  const end = head.indexOf('\r\n');
  const method = head.slice(0, head.indexOf(' '));
  const version = head.slice(head.lastIndexOf(' ', end));
  let rest = version.slice(version.indexOf('\r\n'));
  for (const field of removed) rest = rest.replace(lineOf(field), () => '');
  const lower = rest.toLowerCase();
  const missing = added.filter(([name]) => !lower.includes(`\r\n${name.toLowerCase()}:`));
  const line = `${method} ${target}${version.slice(0, version.indexOf('\r\n'))}`;
  replaceHead(req, head, line + missing.map(lineOf).join('') + rest);
  req.path = target;
  return missing;
}

function lineOf([name, value]: Field): string {
  return `\r\n${name}: ${value}`;
}
