/** Faults of an idle connection: the ways in which servers, and balancers before them, end one. */
import type { FaultConnection } from './connection.js';
import { NOBODY } from './responses.js';

type Fault = (connection: FaultConnection) => void;

const FAULTS = {
  /** FIN, without a word of TLS: a process that ended. */
  fin: (connection) => connection.close(),
  /** close_notify and FIN: the orderly end. */
  end: (connection) => connection.end(),
  /** RST: a balancer that has forgotten the connection. */
  rst: (connection) => connection.reset(),
  /** As many servers say that they close (RFC 9110, section 15.5.9). */
  'timeout-408'(connection) {
    connection.write(
      connection.response({ tag: NOBODY, status: '408 Request Timeout', headers: ['Connection: close'] }),
    );
    connection.end();
  },
  /** A response that nobody asked for; the connection stays. */
  stray: (connection) => connection.write(connection.stray()),
  garbage: (connection) => connection.write('\0'),
  /** It reads no more, and closes 20 ms later: a request that came meanwhile is answered by the kernel, with RST. */
  unread(connection) {
    connection.stopReading();
    connection.later(20, () => connection.close());
  },
  /** It is there and hears nothing: the other side lost its power, or its way. Gone after 2 s, for what waits for it here. */
  deaf(connection) {
    connection.stopReading();
    connection.later(2000, () => connection.reset());
  },
} satisfies Record<string, Fault>;

export type IdleFault = keyof typeof FAULTS;

export const IDLE_FAULTS: Readonly<Record<IdleFault, Fault>> = FAULTS;
