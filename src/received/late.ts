/**
 * The text that describes a refused value: most processes refuse none. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as received from './received.js';

export function loadReceived(): typeof received {
  return received;
}
