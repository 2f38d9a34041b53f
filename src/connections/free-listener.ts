/** The agent's listener for 'free'. One for all agents: that of a copy is about the copy. */
import { kPool } from './pool-key.js';

interface Pooled {
  readonly [kPool]: { free(socket: unknown, options: unknown): void };
}

function free(this: Pooled, socket: unknown, options: unknown): void {
  this[kPool].free(socket, options);
}

export const onAgentFree = free as (socket: unknown, options: unknown) => void;
