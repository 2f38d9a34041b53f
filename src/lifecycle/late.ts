/**
 * The parts of an agent's life that many processes never need: each is loaded when it is first used. The build replaces
 * this module (scripts/lib/late-forms.mjs).
 */
import * as close from './close.js';
import * as lend from './lend.js';
import * as preconnect from './preconnect.js';
import * as warm from './warm.js';

export function loadClose(): typeof close {
  return close;
}

export function loadLend(): typeof lend {
  return lend;
}

export function loadPreconnect(): typeof preconnect {
  return preconnect;
}

export function loadWarm(): typeof warm {
  return warm;
}
