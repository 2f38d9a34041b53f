/** The details of the host that a reader has opened: its connections and waiting requests, the first hundreds of each. */
import { observationOf } from '../telemetry/observed.js';
import type { Observed } from '../telemetry/observed.js';
import type { HostDetails } from './feed.js';
import type { Opened } from './reader.js';

/** The number of connections and of requests that are shown: longer lists are not read. */
const MOST = 200;

const NOTHING = { addresses: [], connections: [], waiting: [], moreConnections: 0, moreWaiting: 0 };

export function detailsOf(seen: Observed, { agent, host }: Opened): HostDetails {
  const { addresses, connections, waiting, moreConnections, moreWaiting } =
    observationOf(seen)?.details(host, MOST) ?? NOTHING;
  return { agent, host, addresses, connections, waiting, moreConnections, moreWaiting };
}
