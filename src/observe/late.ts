/**
 * Statistics, explanations and events of an agent, which most processes never ask for: each is loaded when it is first
 * used. The build replaces this module (scripts/lib/late-forms.mjs).
 */
import * as agentStats from './agent-stats.js';
import * as explain from './explain.js';
import * as inspect from './inspect.js';
import * as observation from './observation.js';

export function loadExplain(): typeof explain {
  return explain;
}

export function loadInspect(): typeof inspect {
  return inspect;
}

export function loadObservation(): typeof observation {
  return observation;
}

export function loadStats(): typeof agentStats {
  return agentStats;
}
