/**
 * Loads modules when they are first needed: statistics, explanations, texts, and the view of the other entries. The build puts them into another
 * file of dist/, and has that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says
 * how.
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
