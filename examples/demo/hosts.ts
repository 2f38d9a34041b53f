/** The names under which the demo's servers are asked. */
export const hosts = ['a.localhost', 'b.localhost', 'c.localhost', 'd.localhost'] as const;

/** Wildcards count only before two labels or more, says Node. */
const DOMAIN = 'demo.localhost';

export const ANY_LANE = `*.${DOMAIN}`;

/** A host of its own, and so a connection of its own, for the `n`-th client. */
export function laneHost(n: number): string {
  return `lane-${n}.${DOMAIN}`;
}
