/**
 * The timers of this entry: Node's, as they are when the entry is loaded, so that fake timers that a test installs later do not stop the network. (The
 * pool's own, node/timers.ts, belong to the main entry, and no other entry may have a second copy of its state.)
 */
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';

export { clearTimeout, setImmediate, setTimeout };

/** The longest delay of Node's timers: a longer one would end at once. */
export const MAX_DELAY: number = 2 ** 31 - 1;
