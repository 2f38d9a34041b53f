/** What a server says about how long it keeps an idle connection: `Keep-Alive: timeout=5, max=100`. */

export interface KeepAliveHint {
  /** Seconds that the server keeps it idle, or `undefined`. */
  readonly timeout: number | undefined;
  /** Requests that it will still answer on it, or `undefined`. */
  readonly max: number | undefined;
}

/** The parameters come in any order, separated by commas (RFC 2068, section 19.7.1.1). */
export function parseKeepAlive(header: string): KeepAliveHint {
  return { timeout: parameter(header, 'timeout'), max: parameter(header, 'max') };
}

function parameter(header: string, name: string): number | undefined {
  const value = new RegExp(`(?:^|[,;])\\s*${name}\\s*=\\s*"?(\\d+)`, 'i').exec(header)?.[1];
  return value === undefined ? undefined : Number(value);
}

/** The header among a response's raw ones: `headers` would be built only for this. */
export function keepAliveHeader(rawHeaders: readonly string[]): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name.length === 10 && name.toLowerCase() === 'keep-alive') return rawHeaders[i + 1];
  }
  return undefined;
}

/**
 * Milliseconds for which a connection may be idle and still be used. `0`: not at all.
 *
 * @param timeout the agent's own idle timeout in milliseconds, `0` for none
 * @param buffer milliseconds by which we stay below the server's word
 */
export function safeIdleTime(hint: KeepAliveHint | undefined, timeout: number, buffer: number): number {
  const own = timeout > 0 ? timeout : Infinity;
  if (hint?.max === 0) return 0;
  if (hint?.timeout === undefined) return own;
  return Math.min(own, Math.max(0, hint.timeout * 1000 - buffer));
}
