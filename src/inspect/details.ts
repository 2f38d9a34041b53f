/** The things behind the host that a reader has opened: its connections and waiting requests, the first hundreds of each. */
import { observationOf } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';
import type { HostDetails } from './feed.js';
import type { Opened } from './reader.js';

/** More than that is read by nobody. */
const MOST = 200;

const NOTHING = { connections: [], waiting: [], moreConnections: 0, moreWaiting: 0 };

export function detailsOf(seen: Observed, { agent, host }: Opened): HostDetails {
  const { connections, waiting, moreConnections, moreWaiting } =
    observationOf(seen)?.details(host, MOST) ?? NOTHING;
  return { agent, host, connections, waiting, moreConnections, moreWaiting };
}
