/** The agent's listener for 'free'. One for all agents: that of a copy is about the copy. */
import { kDriver } from './driver-key.js';

interface Driven {
  readonly [kDriver]: { free(socket: unknown, options: unknown): void };
}

function free(this: Driven, socket: unknown, options: unknown): void {
  this[kDriver].free(socket, options);
}

export const onAgentFree = free as (socket: unknown, options: unknown) => void;
