/**
 * Decides whether an option value counts by its content or by its identity. Strings, numbers, bytes, and arrays and plain objects of
 * these count by content; functions, contexts, sockets and all other objects count by identity.
 */

/** Options of a request, of an agent or of a dial: typed loosely, because users write anything into them. */
export type Options = Readonly<Record<string, unknown>>;

/** More levels than any option of Node's has; deeper values count by identity. */
export const MAX_DEPTH = 3;

export function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

export function bytesOf(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

export function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** The text that bytes spell, if that is ASCII: text is the `same` as these bytes. */
export function textOf(view: ArrayBufferView): string | undefined {
  const text = bytesOf(view).toString();
  return text.length === view.byteLength && isAscii(text) ? text : undefined;
}

/** Whether `value` counts by identity. */
export function isReference(value: unknown): value is object {
  if (typeof value === 'function') return true;
  return value !== null && typeof value === 'object' &&
    !ArrayBuffer.isView(value) && !Array.isArray(value) && !isPlain(value); // prettier-ignore
}

/** A copy that does not change with the original. Values that count by identity are not copied. */
export function copy(value: unknown, depth = 0): unknown {
  if (ArrayBuffer.isView(value)) return Buffer.from(bytesOf(value));
  if (depth === MAX_DEPTH) return value;
  if (Array.isArray(value)) return value.map((member) => copy(member, depth + 1));
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copy(member, depth + 1)]));
}

/** A copy for code that may add to a list or change an object. Bytes are shared. */
export function lend(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lend);
  return isPlain(value) ? { ...value } : value;
}

/** Whether two values are the same. Text equals its bytes: a file may be read with or without an encoding. */
export function same(a: unknown, b: unknown, depth = 0): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (typeof a === 'string') return ArrayBuffer.isView(b) && sameText(a, b);
  if (ArrayBuffer.isView(a)) {
    if (typeof b === 'string') return sameText(b, a);
    return ArrayBuffer.isView(b) && bytesOf(a).equals(bytesOf(b));
  }
  if (depth === MAX_DEPTH) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length &&
      a.every((member, i) => member === b[i] || same(member, b[i], depth + 1)); // prettier-ignore
  }
  if (!isPlain(a) || !isPlain(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && same(a[name], b[name], depth + 1)); // prettier-ignore
}

function sameText(text: string, view: ArrayBufferView): boolean {
  return view.byteLength === text.length && isAscii(text) && bytesOf(view).equals(Buffer.from(text));
}
