/**
 * Loads modules when they are first needed: plain TCP, two agents over one pool, and the views of sockets and requests. The build puts them into
 * another file of dist/, and has that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when",
 * says how.
 */
import * as plainTransport from '../connections/dials/plain-transport.js';
import * as sharing from '../connections/sharing.js';
import * as interceptedViews from './intercepted-views.js';
import * as takenViews from './taken-views.js';

export function loadInterceptedViews(): typeof interceptedViews {
  return interceptedViews;
}

export function loadPlainTransport(): typeof plainTransport {
  return plainTransport;
}

export function loadSharing(): typeof sharing {
  return sharing;
}

export function loadTakenViews(): typeof takenViews {
  return takenViews;
}
