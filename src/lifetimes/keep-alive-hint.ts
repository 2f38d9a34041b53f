/** Reads a server's hint about how long it keeps an idle connection: `Keep-Alive: timeout=5, max=100`. */

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

const K = 'k'.charCodeAt(0);

/** Hot path. The header among a response's raw ones: `headers` would be built only for this. */
export function keepAliveHeader(rawHeaders: readonly string[]): string | undefined {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    // `Connection` has ten letters, too.
    if (name.length === 10 && (name.charCodeAt(0) | 0x20) === K && name.toLowerCase() === 'keep-alive') {
      return rawHeaders[i + 1];
    }
  }
  return undefined;
}

/** Whether the server says that it answers no further request: `max=1`, after the one that says so, is the last. */
export function isLast(hint: KeepAliveHint | undefined): boolean {
  return hint?.max !== undefined && hint.max <= 1;
}
