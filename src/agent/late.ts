/**
 * Parts of agents that few have a use for: they are loaded when one is needed. The build replaces this module
 * (scripts/lib/late-forms.mjs).
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
