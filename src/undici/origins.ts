/** The origins of requests, with the agent for their protocol. Each is parsed once, because programs use the same ones again and again. */
import http from 'node:http';
import type { Agent, ClientRequest, RequestOptions } from 'node:http';
import https from 'node:https';
import { invalidArgument, noAgentFor } from './errors.js';
import type { AgentPair } from './types.js';

export class Origin {
  readonly url: URL;
  readonly agent: Agent;
  /** The host of the URL; an IPv6 address without brackets. */
  readonly hostname: string;
  /** The port. `undefined`: the protocol's default. */
  readonly port: string | undefined;
  /** The value of its header `Host`. */
  readonly host: string;
  /** `host:port`, as in agents' events. */
  readonly name: string;
  readonly #isSecure: boolean;

  constructor(url: URL, agent: Agent) {
    this.url = url;
    this.agent = agent;
    this.#isSecure = url.protocol === 'https:';
    this.hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
    this.port = url.port || undefined;
    this.host = url.host;
    this.name = `${url.hostname}:${this.port ?? (this.#isSecure ? 443 : 80)}`;
  }

  /** Reads Node's function at each call, so that tools that have replaced it (tracers, mocks) see the request. */
  request(options: RequestOptions): ClientRequest {
    return this.#isSecure ? https.request(options) : http.request(options);
  }
}

/** The number of origins that are remembered. With more, some are parsed again. */
const MAX_ORIGINS = 1000;

export class Origins {
  readonly #agents: AgentPair;
  readonly #known = new Map<string, Origin>();

  constructor(agents: AgentPair) {
    this.#agents = agents;
  }

  /** @throws `UND_ERR_INVALID_ARG`; `ERR_INVALID_PROTOCOL` if there is no agent for its protocol */
  of(given: unknown): Origin {
    const text = typeof given === 'string' ? given : hrefOf(given);
    let origin = this.#known.get(text);
    if (!origin) {
      origin = this.#read(text);
      if (this.#known.size >= MAX_ORIGINS) this.#known.clear();
      this.#known.set(text, origin);
    }
    return origin;
  }

  #read(text: string): Origin {
    if (!URL.canParse(text)) throw invalidArgument('opts.origin must be a non-empty string or URL.');
    const url = new URL(text);
    if (url.protocol !== 'https:' && url.protocol !== 'http:')
      throw invalidArgument('Invalid URL protocol: the URL must start with `http:` or `https:`.');
    if (url.pathname !== '/' || url.search || url.hash)
      throw invalidArgument('opts.origin must have no path: that belongs in opts.path');
    const protocol = url.protocol === 'https:' ? 'https' : 'http';
    const agent = this.#agents[protocol];
    if (!agent) throw noAgentFor(protocol);
    return new Origin(url, agent);
  }
}

/** The text of a URL of any realm. */
function hrefOf(given: unknown): string {
  const href: unknown = typeof given === 'object' && given !== null ? Reflect.get(given, 'href') : undefined;
  if (typeof href !== 'string') throw invalidArgument('opts.origin must be a non-empty string or URL.');
  return href;
}
