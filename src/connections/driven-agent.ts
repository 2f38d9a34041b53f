/** The agent that connections are opened and kept for: what users may override or listen to on it is called on it, each time. */
import type { AgentRequest, SocketLike } from '../node/types.js';
import type { Options } from '../identity/identity.js';
import type { ConnectingAgent } from './connector.js';

export interface DrivenAgent extends ConnectingAgent {
  removeSocket(socket: SocketLike, options: Options): void;
  keepSocketAlive(socket: SocketLike): boolean;
  reuseSocket(socket: SocketLike, req: AgentRequest): void;
  emit(event: string, ...args: unknown[]): boolean;
  listenerCount(event: string): number;
}
