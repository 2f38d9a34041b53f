/**
 * Things that belong to the process, and not to one copy of this package. A process may load several copies: the ES module and the CommonJS build, or two
 * versions. They meet in what users hand from one to the other, and in what is the process's own: its listeners, its warnings, its sockets.
 *
 * Copies know each other's things by symbols out of the global registry, never by `instanceof`. Each piece of state and each brand has the version of
 * its protocol: whoever changes what it means gives it a new one, and copies of before then leave it alone, or refuse it with a code.
 */

const kShared: unique symbol = Symbol.for('pooling-https-agent');

/**
 * The piece of state that is called `name`, made by the copy that asks for it first. All copies in this realm that know this `version` of it
 * have the same one. Where the global object takes no property, each copy has its own.
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

/** The version of a protocol that `value` bears under `brand`. `undefined`: it bears none. */
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
 * The answer of `value instanceof type`, if `type` may be there several times: whether `value` is one of this copy, or bears the `brand` of another copy's. A subclass
 * is there but once.
 *
 * @param branded the class whose instances bear the brand
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
