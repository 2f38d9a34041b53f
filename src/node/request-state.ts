/** What has become of a request, where Node's API does not say. */
import { ownSymbol } from './symbols.js';
import type { AgentRequest } from './types.js';

/** The error that `req.destroy` was called with. */
export function destroyedWith(req: AgentRequest): Error | undefined {
  const reason = ownSymbol(req, 'kError');
  return reason && ((Reflect.get(req, reason) as Error | null | undefined) ?? undefined);
}
