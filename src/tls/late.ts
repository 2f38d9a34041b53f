/**
 * Loads modules when they are first needed: TLS options that change while the agent works. The build puts them into another file of dist/, and has
 * that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
 */
import * as rotation from './rotation.js';

export function loadRotation(): typeof rotation {
  return rotation;
}
