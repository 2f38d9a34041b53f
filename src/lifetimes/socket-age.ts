/** The age at which a connection is closed, so that changes in DNS and behind balancers are followed. */

/** The part of the age by which connections differ, so that those that were opened together are not closed together. */
export const AGE_JITTER = 0.1;

/**
 * The moment from which no request is given the connection. Never later than `openedAt + maxAge`.
 *
 * @param random evenly in [0, 1)
 */
export function retireTime(openedAt: number, maxAge: number, random: () => number = Math.random): number {
  return maxAge === Infinity ? Infinity : openedAt + maxAge * (1 - AGE_JITTER * random());
}
