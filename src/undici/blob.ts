/** Blobs and files of Node, of undici and of other packages, which are recognised by their methods. */
export interface BlobLike {
  readonly size: number;
  readonly type: string;
  /** The name of a file. */
  readonly name?: unknown;
  stream?(): AsyncIterable<Uint8Array>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export function isBlob(value: unknown): value is BlobLike {
  if (typeof value !== 'object' || value === null) return false;
  const tag: unknown = Reflect.get(value, Symbol.toStringTag);
  if (tag !== 'Blob' && tag !== 'File') return false;
  const { stream, arrayBuffer } = value as Partial<BlobLike>;
  return typeof stream === 'function' || typeof arrayBuffer === 'function';
}

export async function* partsOf(blob: BlobLike): AsyncGenerator<unknown> {
  if (typeof blob.stream === 'function') yield* blob.stream();
  else yield await blob.arrayBuffer();
}
