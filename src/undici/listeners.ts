/** Listens to requests and responses of Node's client, and passes their events on to their exchanges. All requests share the same functions. */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Hears of one request, by Node's events in Node's order. */
export interface Hearer {
  readonly hasResponse: boolean;
  gotSocket(socket: Socket): void;
  informed(status: number, rawHeaders: readonly string[], message: string): void;
  responded(res: IncomingMessage): void;
  came(chunk: Buffer): void;
  completed(res: IncomingMessage): void;
  upgraded(res: IncomingMessage, socket: Socket, head: Buffer): void;
  erred(error: unknown): void;
  closed(): void;
}

const kHearer = Symbol('pooling-https-agent.hearer');
type Request = ClientRequest & { [kHearer]?: Hearer };
type Response = IncomingMessage & { [kHearer]?: Hearer };

/** Hot path. */
export function listenToRequest(req: Request, hearer: Hearer): void {
  req[kHearer] = hearer;
  req.on('socket', onSocket);
  req.on('response', onResponse);
  req.on('information', onInformation);
  req.on('upgrade', onUpgrade);
  req.on('connect', onUpgrade);
  req.on('error', onError);
  req.on('close', onRequestClose);
}

/** Hot path. */
export function listenToResponse(res: Response, hearer: Hearer): void {
  res[kHearer] = hearer;
  res.on('error', onResponseError);
  res.on('close', onResponseClose);
}

/** Hot path. Starts reading the body, unless the response was paused before. */
export function listenToBody(res: Response): void {
  res.on('end', onEnd);
  res.on('data', onData);
}

function onSocket(this: Request, socket: Socket): void {
  this[kHearer]?.gotSocket(socket);
}

function onResponse(this: Request, res: IncomingMessage): void {
  this[kHearer]?.responded(res);
}

function onInformation(
  this: Request,
  {
    statusCode,
    statusMessage,
    rawHeaders,
  }: { statusCode: number; statusMessage: string; rawHeaders: string[] },
): void {
  this[kHearer]?.informed(statusCode, rawHeaders, statusMessage);
}

function onUpgrade(this: Request, res: IncomingMessage, socket: Socket, head: Buffer): void {
  this[kHearer]?.upgraded(res, socket, head);
}

function onError(this: Request, error: unknown): void {
  this[kHearer]?.erred(error);
}

/** If there is a response, its end counts: part of it may still be unread. */
function onRequestClose(this: Request): void {
  const hearer = this[kHearer];
  if (hearer && !hearer.hasResponse) hearer.closed();
}

function onData(this: Response, chunk: Buffer): void {
  this[kHearer]?.came(chunk);
}

function onEnd(this: Response): void {
  this[kHearer]?.completed(this);
}

function onResponseError(this: Response, error: unknown): void {
  this[kHearer]?.erred(error);
}

function onResponseClose(this: Response): void {
  this[kHearer]?.closed();
}
