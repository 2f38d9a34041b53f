/**
 * Tells how far an exchange of Node's client has come, by internal marks that the client puts on the socket and on the request.
 */
import { ClientRequest, OutgoingMessage } from 'node:http';
import { Capability } from './capability.js';
import { propertyOf } from './foreign.js';
import { ownSymbol } from './symbols.js';
import type { AgentRequest, SocketLike } from './types.js';

/** The request that has `socket`, as Node's client, or code that acts for it, has noted. */
export function messageOf(socket: SocketLike): AgentRequest | null | undefined {
  return socket._httpMessage as AgentRequest | null | undefined;
}

/** Hot path. Notes that no request has `socket` any more. */
export function forgetMessage(socket: SocketLike): void {
  socket._httpMessage = null;
}

export const parserMark: Capability = new Capability(
  'the parser of a response shows on its socket',
  'all bytes after a complete response count as stray',
);

/** Hot path. Whether Node's client parses bytes of `socket`: from the moment when a request has it to the end of the response. */
export function isParsed(socket: SocketLike): boolean {
  return Boolean(socket.parser);
}

/** Bytes of a response were given to Node's client: checks that `socket.parser` is set. */
export function checkParserMark(req: AgentRequest | undefined, socket: SocketLike): void {
  if (parserMark.isKnown || !req?.res || socket.destroyed) return;
  if (!(req instanceof ClientRequest) || req.socket !== (socket as unknown)) return;
  parserMark.found(isParsed(socket) !== req.res.complete);
}

/** Hot path. Whether the client is done with the response to `req`, as far as its marks tell. */
export function isDone(req: AgentRequest | undefined, socket: SocketLike): boolean {
  return Boolean(req?.res?.complete) && !(parserMark.holds && isParsed(socket));
}

export const headMark: Capability = new Capability(
  'a request tells whether its head was written',
  'connections whose sockets do not count what they send serve one request each',
  () => (new OutgoingMessage() as Partial<AgentRequest>)._headerSent === false,
);

/** Hot path. Whether the head of `req` has been written. `undefined`: that is not known. */
export function isHeadWritten(req: AgentRequest): boolean | undefined {
  return headMark.holds ? req._headerSent : undefined;
}

/** Bytes of the head of `req`, once that is decided. */
export function headSize(req: AgentRequest): number {
  return req._header?.length ?? 0;
}

/** Marks `req`, which ends without Node's client, as destroyed and closed. */
export function markClosed(req: AgentRequest): void {
  Object.assign(req, { destroyed: true, _closed: true });
}

const { onSocket } = ClientRequest.prototype as { onSocket?: unknown };

/** Whether Node's client itself takes the socket that `req` is given. */
export function takesSocketInTick(req: AgentRequest): boolean {
  return onSocket !== undefined && propertyOf(req, 'onSocket') === onSocket;
}

export const destroyReason: Capability = new Capability(
  'a request keeps the error that it was destroyed with',
  'requests that are destroyed while they wait end with "socket hang up", or without an error',
  () => {
    const req = Object.create(ClientRequest.prototype) as AgentRequest;
    const reason = new Error('probe');
    ClientRequest.prototype.destroy.call(req, reason);
    return reasonOf(req) === reason;
  },
);

/** The error that `req.destroy` was called with. */
export function destroyedWith(req: AgentRequest): Error | undefined {
  return destroyReason.holds ? reasonOf(req) : undefined;
}

function reasonOf(req: AgentRequest): Error | undefined {
  const reason = ownSymbol(req, 'kError');
  return reason && ((Reflect.get(req, reason) as Error | null | undefined) ?? undefined);
}
