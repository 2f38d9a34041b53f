/**
 * All that stands behind an agent, which is loaded with the first one: a process that has this package loaded, and makes no agent, reads little. The
 * build replaces this module (scripts/lib/late-forms.mjs).
 */
import * as copies from './copies.js';
import * as equipment from './equipment.js';
import * as kind from './kind.js';
import * as seam from './seam.js';

export function loadCopies(): typeof copies {
  return copies;
}

export function loadEquipment(): typeof equipment {
  return equipment;
}

export function loadKind(): typeof kind {
  return kind;
}

/** Hot path. */
export function loadSeam(): typeof seam {
  return seam;
}
