/**
 * TLS options that change while the agent works. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as rotation from './rotation.js';

export function loadRotation(): typeof rotation {
  return rotation;
}
