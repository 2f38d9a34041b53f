/** The agent for which connections are opened and kept. Methods that users may override, and events, go through it each time. */
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { Options } from '../identity/identity.js';
import type { ConnectingAgent } from './dials/connector.js';

export interface DrivenAgent extends ConnectingAgent {
  removeSocket(socket: SocketLike, options: Options): void;
  keepSocketAlive(socket: SocketLike): boolean;
  reuseSocket(socket: SocketLike, req: AgentRequest): void;
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
}

/** The methods of an agent's class, before anything has overridden them. Where an agent still has them, they need not be called. */
export type OwnMethods = Pick<DrivenAgent, 'createSocket' | 'keepSocketAlive'>;
