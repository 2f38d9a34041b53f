/**
 * Debug lines. A line names its connection (`#12 localhost:8443`), or the request and its host (`GET localhost:8443`), and never shows more of
 * an identity than that.
 */
import { debug } from './debug.js';
import { hostName, printable } from './limits/host-name.js';
import type { Named } from './limits/host-name.js';
import { codeOf } from './node/foreign.js';
import type { Connection, Waiter } from './pool/records.js';
import type { Kinds } from './pool/kinds.js';
import { reasonToWait } from './pool/wait-reason.js';
import type { Pool } from './pool/pool.js';

interface Labelled extends Kinds {
  origin: Named;
  request: { readonly req: { readonly method?: string } };
}

/** `localhost:8443`. Hosts are printed as the caller has written them, without unprintable characters. */
export function hostLabel(origin: Named): string {
  return printable(hostName(origin));
}

/** `#12 localhost:8443`: connections are numbered in the order in which they were begun, those of all agents together. */
export function connectionLabel<K extends Labelled>({ id, host }: Connection<K>): string {
  return `#${id} ${hostLabel(host.origin)}`;
}

/** `GET localhost:8443`. */
export function requestLabel<K extends Labelled>({ host, request }: Waiter<K>): string {
  return `${request.req.method} ${hostLabel(host.origin)}`;
}

/** Prints the one line about the end of a connection. */
export function debugClose<K extends Labelled>(connection: Connection<K>, error: unknown): void {
  const { closeReason, served } = connection;
  debug(
    '%s closed: %s%s, after %d requests',
    connectionLabel(connection),
    closeReason,
    withCode(error),
    served,
  );
}

function withCode(error: unknown): string {
  const code = codeOf(error);
  return typeof code === 'string' ? ` (${code})` : '';
}

/** Prints a line about a request in the queue. A request with a dial of its own appears in the line of the dial. */
export function debugWait<K extends Labelled>(pool: Pool<K>, waiter: Waiter<K>): void {
  if (waiter.state !== 'queued') return;
  const { waiting } = waiter.host;
  const place = waiting.placeOf(waiter);
  debug(
    '%s waits as number %d of %d: %s',
    requestLabel(waiter),
    place,
    waiting.size,
    reasonToWait(pool, waiter),
  );
}
