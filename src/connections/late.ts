/**
 * Loads modules when they are first needed: what connections need when something goes wrong, or with options that few agents have. The build puts
 * them into another file of dist/, and has that loaded here, so that nothing which is loaded before may import them. ARCHITECTURE.md, "What is
 * loaded when", says how.
 */
import * as adoption from './adoption.js';
import * as followedNames from './dials/followed-names.js';
import * as offeredSession from './dials/offered-session.js';
import * as recovery from './losses/recovery.js';
import * as resend from './losses/resend.js';
import * as stallWatch from './losses/stall-watch.js';
import * as tunnels from './dials/tunnels.js';

export function loadAdoption(): typeof adoption {
  return adoption;
}

export function loadFollowedNames(): typeof followedNames {
  return followedNames;
}

export function loadOfferedSession(): typeof offeredSession {
  return offeredSession;
}

export function loadRecovery(): typeof recovery {
  return recovery;
}

export function loadResend(): typeof resend {
  return resend;
}

export function loadStallWatch(): typeof stallWatch {
  return stallWatch;
}

export function loadTunnels(): typeof tunnels {
  return tunnels;
}
