/** Tells a secure context from a copy of one, which has its name and not its material: Node would crash on it, or trust nobody. */
import { invalidType } from '../errors.js';

interface Context {
  context?: { getMaxProto?(): unknown };
}

/** @throws `ERR_INVALID_ARG_TYPE` */
export function secureContext(name: string, value: unknown): void {
  const { context } = value as Context;
  try {
    // What is no native object is refused by every native method.
    if (context && (typeof context.getMaxProto !== 'function' || context.getMaxProto() !== null)) return;
  } catch {
    // A copy.
  }
  throw invalidType(name, 'made by tls.createSecureContext(), and no copy of that', value);
}
