/** Reads the answers of resolvers, in whatever shape they come, as a list of addresses. */
import { isIP } from 'node:net';
import { propertyOf } from '../../node/foreign.js';

interface Address {
  readonly address: string;
  readonly family: number;
}

/** At least one address, in the order of the resolver. Shared by all dials, and never changed. */
export type Answer = readonly Address[];

/**
 * The valid addresses among the arguments of a `lookup`'s callback: a list, or one address and its family. `undefined`: there is none.
 *
 * @param addresses may be anything, as may be what it holds
 * @param before the last answer to the same question, which is returned where nothing has changed
 */
export function answerOf(addresses: unknown, family: unknown, before?: Answer): Answer | undefined {
  if (before && isAnswer(addresses, before)) return before;
  const list: unknown[] = Array.isArray(addresses) ? addresses : [{ address: addresses, family }];
  const valid: Address[] = [];
  for (const one of list) {
    const address = propertyOf(one, 'address');
    if (typeof address !== 'string') continue;
    const actual = isIP(address);
    if (actual !== 0) valid.push(Object.freeze({ address, family: actual }));
  }
  return valid.length === 0 ? undefined : Object.freeze(valid);
}

/** Whether `addresses` is a list of the addresses of `answer`. */
function isAnswer(addresses: unknown, answer: Answer): boolean {
  if (!Array.isArray(addresses) || addresses.length !== answer.length) return false;
  const given = addresses as readonly (Partial<Address> | null | undefined)[];
  for (let i = 0; i < given.length; i++) if (given[i]?.address !== answer[i]?.address) return false;
  return true;
}

/**
 * The canonical form of an address, as sockets report it: users' resolvers may write IPv6 addresses in any form. (An address with a zone stays
 * as it is.)
 */
export function canonical(address: string): string {
  if (!address.includes(':') || address.includes('%')) return address;
  try {
    return new URL(`http://[${address}]`).hostname.slice(1, -1);
  } catch {
    return address;
  }
}
