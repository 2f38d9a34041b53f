/** Merges options for a dial, symbols included: Node marks requests with some of its own. */

type Options = Readonly<Record<string, unknown>>;

/**
 * A new object with the own properties of `first`, and then those of `second`, except for `leftOut`. V8 takes three to six times as long to spread them: Node's
 * options have no prototype, and so are in V8's dictionary mode, and on Node 20 a spread object becomes slow with the next property that it gets.
 */
export function mergedOptions(
  first: Options,
  second: Options,
  leftOut: ReadonlySet<string>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  add(merged, first, leftOut);
  add(merged, second, leftOut);
  return merged;
}

/** A copy of `options`, made in the same way. */
export function copiedOptions(options: Options): Record<string, unknown> {
  const copied: Record<string, unknown> = {};
  add(copied, options);
  return copied;
}

function add(merged: Record<PropertyKey, unknown>, options: Options, leftOut?: ReadonlySet<string>): void {
  const names = Object.keys(options);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    // That would be its prototype.
    if (name !== '__proto__' && !leftOut?.has(name)) merged[name] = options[name];
  }
  const symbols = Object.getOwnPropertySymbols(options);
  for (let i = 0; i < symbols.length; i++) {
    const symbol = symbols[i] as symbol;
    if (Object.prototype.propertyIsEnumerable.call(options, symbol))
      merged[symbol] = Reflect.get(options, symbol);
  }
}
