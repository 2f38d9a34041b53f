/** Reads HTTP/1.1 requests, as far as a fault server has to: what a client asks for, and where a request ends. */

export interface RequestHead {
  readonly method: string;
  /** The path, without its slash. */
  readonly id: string;
  /** The last value of a header, by its lower-case name. */
  header(name: string): string | undefined;
}

const END_OF_HEAD = '\r\n\r\n';
/** The last chunk, without trailers, which no client here sends. */
const LAST_CHUNK = '0\r\n\r\n';

export class RequestReader {
  readonly #onHead: (head: RequestHead) => void;
  readonly #onEnd: () => void;
  #text = '';
  /** Bytes of the body that are still to come, or `'chunked'`; `undefined`: a head is next. */
  #left: number | 'chunked' | undefined;

  constructor(onHead: (head: RequestHead) => void, onEnd: () => void) {
    this.#onHead = onHead;
    this.#onEnd = onEnd;
  }

  /** Whether a request has begun and not ended. */
  get within(): boolean {
    return this.#left !== undefined || this.#text !== '';
  }

  add(data: Buffer): void {
    this.#text += data.toString('latin1');
    while (this.#left === undefined ? this.#readHead() : this.#readBody(this.#left));
  }

  #readHead(): boolean {
    const end = this.#text.indexOf(END_OF_HEAD);
    if (end === -1) return false;
    const head = parse(this.#text.slice(0, end));
    this.#text = this.#text.slice(end + END_OF_HEAD.length);
    this.#left = head.header('transfer-encoding') ? 'chunked' : Number(head.header('content-length') ?? 0);
    this.#onHead(head);
    return true;
  }

  #readBody(left: number | 'chunked'): boolean {
    let end = left;
    if (end === 'chunked') {
      const last = this.#text.startsWith(LAST_CHUNK) ? 0 : this.#text.indexOf(`\r\n${LAST_CHUNK}`) + 2;
      if (last === 1) return false;
      end = last + LAST_CHUNK.length;
    } else if (this.#text.length < end) {
      this.#left = end - this.#text.length;
      this.#text = '';
      return false;
    }
    this.#text = this.#text.slice(end);
    this.#left = undefined;
    this.#onEnd();
    return this.#text !== '';
  }
}

function parse(text: string): RequestHead {
  const [requestLine = '', ...lines] = text.split('\r\n');
  const [method = '', path = ''] = requestLine.split(' ');
  return {
    method,
    id: path.slice(1),
    header(name) {
      const line = lines.findLast((candidate) => candidate.toLowerCase().startsWith(`${name}:`));
      return line?.slice(name.length + 1).trim();
    },
  };
}
