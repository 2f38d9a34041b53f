/**
 * Loads modules when they are first needed: names of identities, for `getName()` and the keys of `sockets`, and the removal of secrets from errors
 * of others. The build puts them into another file of dist/, and has that loaded here, so that nothing which is loaded before may import them.
 * ARCHITECTURE.md, "What is loaded when", says how.
 */
import * as agentName from './agent-name.js';
import * as secrets from './secrets.js';

export function loadAgentName(): typeof agentName {
  return agentName;
}

export function loadSecrets(): typeof secrets {
  return secrets;
}
