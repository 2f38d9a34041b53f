/** The agent's listener for 'free'. One function for all agents, so that a copy of an agent calls it for the copy. */
import { kPool } from './pool-key.js';

interface Pooled {
  readonly [kPool]: { free(socket: unknown, options: unknown): void };
}

function free(this: Pooled, socket: unknown, options: unknown): void {
  this[kPool].free(socket, options);
}

export const onAgentFree = free as (socket: unknown, options: unknown) => void;
