/** The errors of proxies and of their tunnels. */
import { coded } from '../errors.js';
import type { ConnectPhase } from '../pool/counters.js';

/** For an environment variable that holds no valid proxy URL. Its value is left out: it may hold a password. The code is Node's own. */
export function invalidProxyConfig(variable: string): Error {
  return coded(
    new Error(`Invalid proxy URL in the environment variable ${variable}`),
    'ERR_PROXY_INVALID_CONFIG',
  );
}

/** For a tunnel that was not open within the proxy's own `connectTimeout`. */
export function proxyTimedOut(phase: ConnectPhase, host: string, port: number, timeout: number): Error {
  const message = `The proxy ${host}:${port} opened no tunnel within ${timeout} ms (waiting for '${phase}')`;
  return Object.assign(coded(new Error(message), 'ETIMEDOUT'), { phase, host, port });
}

/** The error of a tunnel that a proxy did not open, with Node's code. Fields that do not apply are left out. */
export interface ProxyTunnelError extends Error {
  /** The code, which Node's own agent uses, too. */
  code: 'ERR_PROXY_TUNNEL';
  /** `host:port` of the proxy. */
  proxy: string;
  /** The proxy's answer, if it gave one. */
  statusCode?: number;
  /** The text behind that number. */
  statusText?: string;
  /** Milliseconds: the request's `timeout`, which is over. Node's client emits 'timeout' for it. */
  proxyTunnelTimeout?: number;
}

/** @param more the fields of the error */
export function proxyTunnel(
  message: string,
  proxy: string,
  more: { statusCode?: number; statusText?: string; proxyTunnelTimeout?: number } = {},
): ProxyTunnelError {
  return Object.assign(coded(new Error(message), 'ERR_PROXY_TUNNEL') as ProxyTunnelError, { proxy }, more);
}
