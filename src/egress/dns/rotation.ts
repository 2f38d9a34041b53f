/** The option `rotate`: new connections are spread over all addresses of a name. Pure. */
import type { Answer } from './addresses.js';

/** The use of an address. */
export interface Load {
  /** Connections to it, including those that are being opened. */
  connections: number;
  /** The number of the last dial that tried it first, counted over all dials to this name and port. 0: none has. */
  turn: number;
}

/** Puts addresses with the fewest connections first; among these, the one whose turn is longest ago; then in the resolver's order. */
export function rotated(answer: Answer, loadOf: (address: string) => Readonly<Load> | undefined): Answer {
  const loads = answer.map((one) => ({ one, ...(loadOf(one.address) ?? { connections: 0, turn: 0 }) }));
  loads.sort((a, b) => a.connections - b.connections || a.turn - b.turn);
  return loads.map(({ one }) => one);
}
