/**
 * Loads modules with the first agent: all that stands behind one. The build puts them into another file of dist/, and has that loaded here, so that
 * nothing which is loaded before may import them. ARCHITECTURE.md, "What is loaded when", says how.
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
