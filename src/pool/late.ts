/**
 * Loads modules when they are first needed: connections that are opened before a request asks for them. The build puts them into another file of
 * dist/, and has that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
 */
import * as spares from './spares.js';

export function loadSpares(): typeof spares {
  return spares;
}
