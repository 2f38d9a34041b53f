/**
 * Reads the head of a proxy's answer to `CONNECT`, in whatever pieces it comes, and no byte beyond it. A proxy may repeat what it was sent, so the texts of the answer, which
 * go into errors, are cleaned of secrets.
 */

/** Node's own limit for heads. Longer answers are refused. */
const MAX_HEAD = 16 * 1024;
/** The most characters of a proxy's text that go into an error. */
const MAX_WORDS = 100;

const END = Buffer.from('\r\n\r\n');

export interface Reply {
  readonly statusLine: string;
  readonly statusCode: number | undefined;
  readonly statusText: string;
  /** The schemes by which the proxy wants its users to log in (407). */
  readonly schemes: readonly string[];
  /** Bytes of the tunnel that came with the head. */
  readonly rest: Buffer;
}

export class ReplyReader {
  readonly #clean: (text: string) => string;
  #head: Buffer = Buffer.alloc(0);

  /** @param clean takes what was sent to the proxy, and is secret, out of a text */
  constructor(clean: (text: string) => string) {
    this.#clean = clean;
  }

  /** @returns the answer as soon as it is whole; `'too long'` */
  add(chunk: Buffer): Reply | 'too long' | undefined {
    // The end of the head may be divided between two pieces.
    const from = Math.max(0, this.#head.length - END.length + 1);
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const end = this.#head.indexOf(END, from);
    if ((end === -1 ? this.#head.length : end + END.length) > MAX_HEAD) return 'too long';
    if (end === -1) return undefined;
    const rest = this.#head.subarray(end + END.length);
    const reply = replyOf(this.#head.toString('latin1', 0, end), rest, this.#clean);
    if (!isInterim(reply)) return reply;
    // An interim response (RFC 9110, section 15.2): the answer is still to come.
    this.#head = Buffer.alloc(0);
    return this.add(rest);
  }
}

function replyOf(head: string, rest: Buffer, clean: (text: string) => string): Reply {
  const [line = '', ...fields] = head.split('\r\n');
  const [, digits, text = ''] = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(line) ?? [];
  return {
    // Cleaned before they are cut off: a part of a secret is secret, too.
    statusLine: printable(clean(line)),
    statusCode: digits === undefined ? undefined : Number(digits),
    statusText: printable(clean(text)),
    schemes: fields.flatMap((field) => /^proxy-authenticate: *([\w-]+)/i.exec(field)?.[1] ?? []),
    rest,
  };
}

function isInterim({ statusCode = 0 }: Reply): boolean {
  return statusCode >= 100 && statusCode < 200 && statusCode !== 101;
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_WORDS);
}
