/** Tells a secure context from a copy of one, which has the class and lacks the material: Node would crash on it, or trust no server. */

interface Context {
  context?: { getMaxProto?(): unknown };
}

export function isSecureContext(value: unknown): boolean {
  const { context } = value as Context;
  try {
    // Native methods refuse every object that is not native.
    return Boolean(context) && (typeof context?.getMaxProto !== 'function' || context.getMaxProto() !== null);
  } catch {
    // It is a copy.
    return false;
  }
}
