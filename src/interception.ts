/**
 * Mocking and tracing libraries (nock) put themselves before every agent by replacing Node's own `addRequest` after we
 * were loaded. A request then goes to them; what they let pass comes back through `createSocket`.
 */
import { Agent } from 'node:http';
import type { AgentRequest } from './node-internals.js';

/** Node's typings leave out what an agent's own methods are. */
interface Prototype {
  addRequest(this: object, req: AgentRequest, options: unknown, ...legacy: unknown[]): void;
}

const prototype = Agent.prototype as unknown as Prototype;
const { addRequest } = prototype;

/** Hot path. Whether somebody has replaced Node's `addRequest`. */
export function isIntercepted(): boolean {
  return prototype.addRequest !== addRequest;
}

export function intercept(agent: object, req: AgentRequest, options: unknown, legacy: unknown[]): void {
  prototype.addRequest.call(agent, req, options, ...legacy);
}
