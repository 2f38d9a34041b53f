/**
 * Exports of sessions, and their encryption. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as sessionExport from './session-export.js';

export function loadSessionExport(): typeof sessionExport {
  return sessionExport;
}
