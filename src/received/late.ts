/**
 * Loads modules when they are first needed: the text that describes a refused value. The build puts them into another file of dist/, and has that
 * loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
 */
import * as received from './received.js';

export function loadReceived(): typeof received {
  return received;
}
