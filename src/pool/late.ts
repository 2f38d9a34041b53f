/**
 * Parts of planning that most processes never need. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as spares from './spares.js';

export function loadSpares(): typeof spares {
  return spares;
}
