/**
 * Names of identities, for `getName()` and the keys of `sockets`, and the removal of secrets from errors of others. The build replaces this module
 * (scripts/lib/late-forms.mjs).
 */
import * as agentName from './agent-name.js';
import * as secrets from './secrets.js';

export function loadAgentName(): typeof agentName {
  return agentName;
}

export function loadSecrets(): typeof secrets {
  return secrets;
}
