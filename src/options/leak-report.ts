/** The report of the event `'leak'`. */
import type { ClientRequest } from 'node:http';

/** The report of the event `'leak'`, about a response that is not read. */
export interface LeakReport {
  /** The host of the request. */
  readonly host: string;
  /** Its port. */
  readonly port: number | string | undefined;
  /** The request whose response is not read. */
  readonly req: ClientRequest;
  /** The stack of the code that made the request. */
  readonly stack: string;
}
