/**
 * Loads modules when they are first needed: keys and tickets of sessions, and exports. The build puts them into another file of dist/, and has that
 * loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
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
