/**
 * The form of requests that go through a proxy without a tunnel, those of `http:` origins: their target is a whole URL (RFC 9112, section 3.2.2), and they have the headers for the proxy. Each
 * request gets its form with its connection, and another form if it is sent again by another way. Credentials of a proxy go to that proxy alone.
 */
import { asciiName } from '../../egress/ascii-name.js';
import { invalidName } from '../../errors.js';
import type { Origin } from '../../identity/identity.js';
import { hostAndPort, withPort } from '../../limits/host-name.js';
import type { ProxyServer } from '../../limits/proxy-choice.js';
import { changeHead, hostsOf } from '../../node/request-head.js';
import type { Field } from '../../node/request-head.js';
import type { AgentRequest } from '../../node/types.js';

interface Given {
  /** The authority that its target names. */
  readonly authority: string;
  /** The path as the caller has written it. */
  readonly path: string;
  readonly fields: readonly Field[];
}

/** The requests that have the form for a proxy. */
const formed = new WeakMap<AgentRequest, Given>();

/**
 * `req` is about to get a connection to `origin`, or to `forwarder`, and nothing of it was sent.
 *
 * @throws where the request names another host than its options, and what the user's function throws
 */
export function giveForm(
  req: AgentRequest,
  origin: Origin<unknown>,
  forwarder: ProxyServer | undefined,
): void {
  const before = formed.get(req);
  if (!forwarder && !before) return;
  const path = before?.path ?? req.path;
  const { host: name, port } = hostAndPort(origin);
  const host = forwarder ? asciiName(origin.host) : name;
  const authority = port === origin.defaultPort ? withoutPort(host) : withPort(host, port);
  const target = forwarder ? targetOf(req, path, authority) : path;
  const added = forwarder ? fieldsFor(req, forwarder, host, port) : [];
  const fields = changeHead(req, target, before?.fields ?? [], added);
  if (forwarder) formed.set(req, { authority, path, fields });
  else formed.delete(req);
}

function withoutPort(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** See `RequestForms.checkForm`. */
export function checkForm(req: AgentRequest): void {
  const given = formed.get(req);
  if (given && req.method !== 'CONNECT') checkHost(req, given.authority);
}

/** @throws `ERR_INVALID_ARG_VALUE` where the request names another host than its options: a proxy may go by either */
function targetOf(req: AgentRequest, path: string, authority: string): string {
  // The path of CONNECT names the host that the proxy is to connect to.
  if (req.method === 'CONNECT') return path;
  checkHost(req, authority);
  const [, scheme, named = ''] = /^([a-z][a-z\d+.-]*):\/\/([^/?]*)/i.exec(path) ?? [];
  if (scheme !== undefined) {
    if (scheme.toLowerCase() === 'http' && isSame(named, authority)) return path;
    throw invalidName('options.path', `a path, or a URL that begins with http://${authority}`);
  }
  // RFC 9112, section 3.2.4: the last proxy turns it into an asterisk.
  if (path === '*') return `http://${authority}`;
  return `http://${authority}${path.startsWith('/') ? '' : '/'}${path}`;
}

function checkHost(req: AgentRequest, authority: string): void {
  const hosts = hostsOf(req);
  if (hosts.length > 1 || hosts.some((host) => !isSame(host.trim(), authority)))
    throw invalidName('options.headers.host', `${authority}, as the options say, where a proxy leads there`);
}

function isSame(named: string, authority: string): boolean {
  if (named === authority) return true;
  const host = hostIn(named);
  return host !== undefined && host === hostIn(authority);
}

/** The host and port of `authority`, in one form. `undefined`: it is none, or one parser finds another host in it than the next (`a\@b`, `a#@b`). */
function hostIn(authority: string): string | undefined {
  const url = `http://${authority}`;
  return /^[^\s/?#@\\]+$/.test(authority) && URL.canParse(url) ? new URL(url).host : undefined;
}

function fieldsFor(req: AgentRequest, proxy: ProxyServer, host: string, port: number): Field[] {
  const fields: Field[] = [['Proxy-Connection', req.shouldKeepAlive ? 'keep-alive' : 'close']];
  for (const [name, value] of proxy.headersFor(host, port).values())
    for (const one of [value].flat()) fields.push([name, String(one)]);
  return fields;
}
