/**
 * Loads modules when they are first needed: the graceful end, agents that are lent, and connections that are opened ahead. The build puts them into
 * another file of dist/, and has that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when",
 * says how.
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
