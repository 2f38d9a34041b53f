/**
 * Faults instead of an answer. Those of the first table happen when its head has come, the rest
 * when all of it has.
 */
import type { Exchange, FaultConnection } from './connection.js';
import { inChunks } from './responses.js';

type Fault = (exchange: Exchange) => void;

/** The content of a TLS record at its largest (RFC 8446, section 5.1). */
const RECORD = 16_384;

const half = (text: string): string => text.slice(0, text.length / 2);

/** The head without its last bytes. */
const halfHead = ({ answer }: Exchange): string => half(answer().split('\r\n\r\n')[0] as string);

/** All of the head, and less than all of the body. */
const halfBody = ({ answer }: Exchange): string => answer({ filler: 400 }).slice(0, -200);

/** A system answers unread bytes with RST, so they are read here: then closing means FIN. */
function written(connection: FaultConnection, text: string, then: () => void): void {
  if (connection.tls.writable) connection.tls.write(text, 'latin1', () => connection.open && then());
}

const AT_HEAD = {
  'close-on-arrival': ({ connection }) => connection.close(),
  'end-on-arrival': ({ connection }) => connection.end(),
  'reset-on-arrival': ({ connection }) => connection.reset(),
  /** The answer comes while the client may still be sending the body. The connection stays. */
  early({ connection, answer, done }) {
    connection.write(answer());
    done();
  },
  /** As a server that refuses a body: answer, and end. */
  'early-close'({ connection, answer }) {
    connection.write(answer({ headers: ['Connection: close'] }));
    connection.end();
  },
} satisfies Record<string, Fault>;

const AT_END = {
  // Nothing, or late

  never() {},
  late({ connection, answer, done, between }) {
    connection.later(between(1, 60), () => {
      connection.write(answer());
      done();
    });
  },
  /** A few bytes in each turn of the loop. */
  slow({ connection, answer, done, between }) {
    let rest = answer();
    const step = between(1, 9);
    const next = (): void => {
      if (!connection.open) return;
      connection.write(rest.slice(0, step));
      rest = rest.slice(step);
      if (rest === '') done();
      else setImmediate(next);
    };
    next();
  },
  /** It will never answer, and says so on TCP's level only: the client may go on sending. */
  'half-close': ({ connection }) => connection.end(),

  // Broken off

  'close-mid-head': (exchange) =>
    written(exchange.connection, halfHead(exchange), () => exchange.connection.close()),
  'reset-mid-head': (exchange) =>
    written(exchange.connection, halfHead(exchange), () => exchange.connection.reset()),
  'close-mid-body': (exchange) =>
    written(exchange.connection, halfBody(exchange), () => exchange.connection.close()),
  'reset-mid-body': (exchange) =>
    written(exchange.connection, halfBody(exchange), () => exchange.connection.reset()),
  'stall-mid-body': (exchange) => exchange.connection.write(halfBody(exchange)),
  'close-after': ({ connection, answer }) => written(connection, answer(), () => connection.close()),
  'end-after'({ connection, answer }) {
    connection.write(answer());
    connection.end();
  },
  'reset-after': ({ connection, answer }) => written(connection, answer(), () => connection.reset()),
  'truncated-chunks': ({ connection, answer }) =>
    written(connection, answer({ framing: (body) => inChunks(body).slice(0, -5) }), () => connection.end()),

  // Framed as it should not be

  'bad-chunk': ({ connection, answer }) =>
    connection.write(answer({ framing: (body) => inChunks(body).replace(/\r\n\r\n\w/, '\r\n\r\nxyz') })),
  'short-body': ({ connection, answer }) =>
    written(
      connection,
      answer({ framing: (body) => `Content-Length: ${body.length + 9}\r\n\r\n${body}` }),
      () => connection.end(),
    ),
  'long-body'({ connection, answer, done }) {
    connection.write(answer({ framing: (body) => `Content-Length: ${body.length}\r\n\r\n${body}surplus` }));
    done();
  },
  'no-length'({ connection, answer }) {
    connection.write(answer({ framing: (body) => `\r\n${body}` }));
    connection.end();
  },
  'two-lengths': ({ connection, answer }) =>
    connection.write(answer({ headers: ['Content-Length: 3', 'Content-Length: 4'] })),
  /** It says that it will close, and does not. */
  'false-close'({ connection, answer, done }) {
    connection.write(answer({ headers: ['Connection: close'] }));
    done();
  },
  /** More header than Node's parser takes. */
  'long-head': ({ connection, answer }) =>
    connection.write(
      answer({ headers: Array.from({ length: 900 }, (_, i) => `X-${i}: ${'x'.repeat(100)}`) }),
    ),
  garbage: ({ connection }) => connection.write('\0\x01\x02 this is no HTTP \r\n\r\n'),
  'garbage-after'({ connection, answer, done }) {
    connection.write(`${answer()}\0\0\0`);
    done();
  },
  'line-break-after'({ connection, answer, done }) {
    connection.write(`${answer()}\r\n`);
    done();
  },

  // More than one answer

  'twice-same-record'({ connection, answer, done }) {
    connection.write(answer() + connection.stray(true));
    done();
  },
  /** The first record ends where the answer does. */
  'twice-next-record'({ connection, answer, done }) {
    connection.write(answer({ size: RECORD, filler: 0 }) + connection.stray(true));
    done();
  },
  /** In two writes of one turn of the loop. */
  'twice-next-write'({ connection, answer, done }) {
    connection.write(answer());
    connection.write(connection.stray());
    done();
  },
  'twice-later'({ connection, answer, done, between }) {
    connection.write(answer());
    connection.later(between(0, 20), () => connection.write(connection.stray()));
    done();
  },
  informational({ connection, answer, done }) {
    const informational =
      'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n';
    connection.write(informational.repeat(50) + answer());
    done();
  },
  /** An upgrade that nobody asked for. */
  switching: ({ connection }) =>
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: tea\r\n\r\n'),

  // Below HTTP

  /** An alert that is not encrypted as it has to be. */
  alert({ connection, answer }) {
    connection.write(half(answer()));
    connection.writeRaw([0x15, 3, 3, 0, 2, 2, 80]);
  },
  'bad-record': ({ connection }) =>
    connection.writeRaw([0x17, 3, 3, 0, 20, ...Array.from({ length: 20 }, (_, i) => i)]),
} satisfies Record<string, Fault>;

export type RequestFault = keyof typeof AT_HEAD | keyof typeof AT_END;

export const REQUEST_FAULTS: Readonly<Record<RequestFault, Fault>> = { ...AT_HEAD, ...AT_END };

/** Whether it happens as soon as the head has come. */
export function strikesAtHead(fault: RequestFault): boolean {
  return Object.hasOwn(AT_HEAD, fault);
}
