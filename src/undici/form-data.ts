/**
 * A FormData as the body of a request: `multipart/form-data`, written as browsers write it (https://html.spec.whatwg.org, "multipart/form-data encoding
 * algorithm"; RFC 7578). Its length is known before it is read.
 */
import { randomUUID } from 'node:crypto';
import { isBlob, partsOf } from './blob.js';
import type { BlobLike } from './blob.js';

type Part = Buffer | BlobLike;

interface EncodedForm {
  readonly parts: AsyncIterable<unknown>;
  /** The length in bytes. */
  readonly length: number;
  /** The content type, with its boundary. */
  readonly type: string;
}

export function encodeForm(form: Iterable<[string, unknown]>): EncodedForm {
  const boundary = `----formdata-${randomUUID()}`;
  const parts: Part[] = [];
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(linesOf(name))}"`;
    if (isBlob(value)) {
      const { name: given } = value;
      const filename = quoted(typeof given === 'string' ? given : 'blob');
      const type = value.type || 'application/octet-stream';
      parts.push(
        Buffer.from(`${head}; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`),
        value,
        CRLF,
      );
    } else {
      parts.push(Buffer.from(`${head}\r\n\r\n${linesOf(String(value))}\r\n`));
    }
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`));
  let length = 0;
  for (const part of parts) length += Buffer.isBuffer(part) ? part.length : part.size;
  return { parts: written(parts), length, type: `multipart/form-data; boundary=${boundary}` };
}

const CRLF = Buffer.from('\r\n');

async function* written(parts: readonly Part[]): AsyncGenerator<unknown> {
  for (const part of parts) {
    if (Buffer.isBuffer(part)) yield part;
    else yield* partsOf(part);
  }
}

/** `text` with CRLF at the ends of lines. */
function linesOf(text: string): string {
  return text.replaceAll(/\r\n|\r|\n/g, '\r\n');
}

function quoted(text: string): string {
  return text.replaceAll('\n', '%0A').replaceAll('\r', '%0D').replaceAll('"', '%22');
}
