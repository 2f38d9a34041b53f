/** Copies an error that ends several requests, so that each has its own: users add properties to errors, and report each object once. */

/** A copy of `error`, with all its properties. A value that is no error, or that cannot be copied, is returned as it is. */
export function copyOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  try {
    const copy = new Error(error.message);
    Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object);
    for (const name of Reflect.ownKeys(error)) {
      if (name === 'stack' || name === 'message') continue;
      const property = Object.getOwnPropertyDescriptor(error, name);
      if (property) Object.defineProperty(copy, name, property);
    }
    Object.defineProperty(copy, 'stack', {
      configurable: true,
      enumerable: false,
      writable: true,
      value: error.stack,
    });
    return copy;
  } catch {
    return error;
  }
}
