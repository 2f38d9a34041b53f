/**
 * Parts of the cache of sessions: keys and tickets are needed when there is a session to offer, at the second connection to a host; exports and their
 * encryption in few processes. The build replaces this module (scripts/lib/late-forms.mjs).
 */
import * as sessionExport from './session-export.js';
import * as sessionKey from './session-key.js';
import * as tickets from './tickets.js';

export function loadSessionExport(): typeof sessionExport {
  return sessionExport;
}

export function loadSessionKey(): typeof sessionKey {
  return sessionKey;
}

export function loadTickets(): typeof tickets {
  return tickets;
}
