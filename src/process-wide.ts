/**
 * State of the process that all copies of this package share. A process may load several copies: the ES module and the CommonJS build, or two versions.
 * They meet in objects that users hand from one to the other, and in the process's own listeners, warnings and sockets.
 *
 * Copies recognise each other's objects by symbols of the global registry, never by `instanceof`. Each piece of state and each brand has the version of its
 * protocol. A change of its meaning needs a new version; older copies then ignore it, or refuse it with a code.
 */

const kShared: unique symbol = Symbol.for('pooling-https-agent');

/**
 * The piece of state named `name`, made by the first copy that asks for it. All copies in this realm that use this `version` share it. If the
 * global object takes no property, each copy has its own.
 */
export function processWide<T extends object>(name: string, version: number, make: () => T): T {
  const holder = globalThis as { [kShared]?: Map<string, object> };
  if (holder[kShared] === undefined) Reflect.defineProperty(globalThis, kShared, { value: new Map() });
  const pieces = holder[kShared];
  const key = `${name} ${version}`;
  const known = pieces?.get(key) as T | undefined;
  if (known) return known;
  const made = make();
  pieces?.set(key, made);
  return made;
}

/** The version of a protocol that `value` has under `brand`. `undefined`: it has none. */
export function protocolOf(value: unknown, brand: symbol): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return (value as { readonly [key: symbol]: unknown })[brand];
  } catch {
    return undefined;
  }
}

const isInstance = Function.prototype[Symbol.hasInstance];

/**
 * The result of `value instanceof type`, where copies have classes of their own: whether `value` is an instance of this copy's class, or has the `brand` of another
 * copy's. A subclass exists only once.
 *
 * @param branded the class whose instances have the brand
 */
export function isInstanceOfAny(
  type: unknown,
  value: unknown,
  branded: unknown,
  brand: symbol,
  protocol: number,
): boolean {
  if (isInstance.call(type as () => void, value)) return true;
  return type === branded && protocolOf(value, brand) === protocol;
}

const warned = (): Set<string> => processWide('warnings', 1, () => new Set<string>());

/** Whether this is the first warning of that name in this process. */
export function isFirstWarning(name: string): boolean {
  const names = warned();
  return names.size < names.add(name).size;
}
