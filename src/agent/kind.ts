/** The differences between the two classes of agents: Node's class behind it, its protocol, and how its connections are opened. */
import type { Agent } from 'node:http';
import type { DrivenAgent, OwnMethods } from '../connections/driven-agent.js';
import { labelOf } from '../connections/pooled-socket.js';
import { TlsTransport } from '../connections/dials/tls-transport.js';
import type { Transport } from '../connections/dials/transport.js';
import { HTTP, HTTPS } from '../identity/protocol.js';
import type { Protocol } from '../identity/protocol.js';
import type { Define } from '../options/live-options.js';
import type { PoolingAgentOptions } from '../options/options.js';
import { resolveTlsOptions } from '../options/tls-options.js';
import { Resumption } from '../sessions/resumption.js';
import type { SessionMethods } from '../sessions/resumption.js';
import { SecureContexts } from '../tls/secure-contexts.js';
import { loadPlainTransport } from './late.js';
import { defineSessionViews } from './session-views.js';

/** An agent of Node's. Its typings leave the options out. */
export type NodesAgent = Agent & { options: object };

/** Makes the transport of an agent. */
export type TransportMaker = (agent: DrivenAgent) => Transport;

export interface Kind {
  /** Node's class. */
  readonly nodes: new (options: object) => NodesAgent;
  readonly protocol: Protocol;
  /** The class's own, before anything has overridden them. */
  readonly methods: OwnMethods;
  /**
   * Checks the options that only this kind has.
   *
   * @throws as the constructor of the class
   */
  prepare(own: PoolingAgentOptions, maxSecureContexts: number): TransportMaker;
  /** Defines the properties that only this kind has. */
  define(define: Define, transport: Transport): void;
}

export function tlsKind(nodes: Kind['nodes'], methods: OwnMethods & SessionMethods): Kind {
  return {
    nodes,
    protocol: HTTPS,
    methods,
    prepare(own, maxSecureContexts) {
      const { sessionCache, ...options } = resolveTlsOptions(own);
      return (agent) => {
        const contexts = new SecureContexts(maxSecureContexts);
        const sessions = agent as unknown as SessionMethods;
        return new TlsTransport(contexts, new Resumption(sessions, methods, sessionCache, labelOf), options);
      };
    },
    define(define, transport) {
      defineSessionViews(define, (transport as TlsTransport).resumption.cache);
    },
  };
}

export function plainKind(nodes: Kind['nodes'], methods: OwnMethods): Kind {
  return {
    nodes,
    protocol: HTTP,
    methods,
    prepare(_own, maxSecureContexts) {
      const { PlainTransport } = loadPlainTransport();
      return () => new PlainTransport(new SecureContexts(maxSecureContexts));
    },
    define() {},
  };
}
