/** The order for a tunnel: its target, its proxy, and the options that it takes from its dial. */
import type { Socket, TcpNetConnectOpts } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { ProxyServer } from '../limits/proxy-choice.js';
import type { ConnectPhase } from '../pool/counters.js';

/** The step that a tunnel waits for. */
export type TunnelPhase = Extract<ConnectPhase, 'proxyConnect' | 'proxySecureConnect' | 'tunnel'>;

export interface TunnelOrder {
  readonly proxy: ProxyServer;
  readonly host: string;
  readonly port: number;
  /** Host and port, as in URLs. */
  readonly target: string;
  /** Options for the connection to the proxy, without its host and port. */
  readonly connect: Omit<TcpNetConnectOpts, 'host' | 'port'>;
  /** TLS options for an `https:` proxy, with a ready context if there is one. */
  readonly tls: ConnectionOptions;
  /** Milliseconds without traffic after which the request gives up. `0`: none. */
  readonly timeout: number;
  readonly keepAlive: boolean;
  /** Whether it keeps the process alive. */
  readonly holdsProcess: boolean;
  /** Whether the proxy takes requests itself, so that it is connected to and asked for nothing. */
  readonly forwards: boolean;
  /** Called with the socket that is being connected to the proxy. */
  readonly onSocket: (socket: Socket) => void;
  /** Called at each step. */
  readonly onPhase: (phase: TunnelPhase) => void;
}
