/**
 * Opens a tunnel: a socket that leads through a proxy to a host. It promises
 *
 * - one answer: the socket, or an error with a code, which names the proxy and holds no credentials;
 * - an end in time: by the proxy's limit, by the request's timeout, or when its owner cancels it, at any moment. Then no socket is left open;
 * - no byte lost: bytes that the proxy sends behind its answer belong to the tunnel.
 *
 * It is loaded when the first proxy is used.
 */
import { validateHeaderName, validateHeaderValue } from 'node:http';
// The module objects, not their functions: others may replace a function later, to add policy.
import net, { isIP } from 'node:net';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { proxyTimedOut, proxyTunnel } from './proxy-errors.js';
import { cleanerOf } from '../identity/removal.js';
import { ReplyReader } from './connect-reply.js';
import type { Reply } from './connect-reply.js';
import { openBySocks } from './socks.js';
import type { ProxyHeader } from '../limits/proxy-choice.js';
import { discard, propertyOf } from '../node/foreign.js';
import { clearTimeout, setImmediate, setTimeout } from '../node/timers.js';
import type { TunnelOrder, TunnelPhase } from './tunnel-order.js';

/** The number of characters from which on the value of a header may be secret. */
const LONG = 8;

type TunnelAnswer = (error: unknown, socket: Socket | undefined) => void;

export class Tunnel {
  readonly #order: TunnelOrder;
  readonly #answer: TunnelAnswer;
  #socket: Socket | undefined;
  /** Takes our listeners off the socket of this step. */
  #leaveStep: () => void = ignore;
  #phase: TunnelPhase = 'proxyConnect';
  #timer: NodeJS.Timeout | undefined;
  #isDone = false;

  constructor(order: TunnelOrder, answer: TunnelAnswer) {
    this.#order = order;
    this.#answer = answer;
  }

  start(): void {
    const { connect, proxy } = this.#order;
    if (proxy.connectTimeout > 0) this.#startTimer(proxy.connectTimeout);
    try {
      const socket = net.connect({ ...connect, host: proxy.host, port: proxy.port });
      this.#order.onSocket(socket);
      this.#enter('proxyConnect', socket, 'connect', () => this.#connected());
    } catch (error) {
      // Options are not valid.
      this.#fail(error);
    }
  }

  #connected(): void {
    const { protocol } = this.#order.proxy;
    if (protocol === 'https:') this.#secure();
    else if (protocol === 'http:') this.#reached();
    else this.#askBySocks();
  }

  /** Ends the tunnel; there will be no answer. */
  cancel(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#end();
    if (this.#socket) discard(this.#socket);
  }

  /** Begins a step on `socket`. Each time that emits `event`, `next` checks whether the step is done. */
  #enter(phase: TunnelPhase, socket: Socket, event?: string, next: () => void = ignore): void {
    const { holdsProcess, onPhase, timeout } = this.#order;
    this.#leaveStep();
    this.#phase = phase;
    this.#socket = socket;
    onPhase(phase);
    // Errors of the system do not say that the peer is a proxy.
    const onError = (error: unknown): void => {
      nameProxy(error, this.#order.proxy.address);
      this.#fail(error);
    };
    const onClose = (): void => this.#fail(this.#endedError());
    const onTimeout = (): void => this.#fail(this.#timeoutError());
    const onNext = (): void => {
      try {
        next();
      } catch (error) {
        this.#fail(error);
      }
    };
    socket.on('error', onError).on('end', onClose).on('close', onClose);
    if (event !== undefined) socket.on(event, onNext);
    if (timeout > 0) socket.setTimeout(timeout, onTimeout);
    if (!holdsProcess) socket.unref();
    this.#leaveStep = () => {
      socket.removeListener('error', onError).removeListener('end', onClose).removeListener('close', onClose);
      if (event !== undefined) socket.removeListener(event, onNext);
      if (timeout > 0) socket.setTimeout(0, onTimeout);
      this.#leaveStep = ignore;
    };
  }

  /** TLS to the proxy itself. */
  #secure(): void {
    const { proxy, tls: options } = this.#order;
    const raw = this.#socket as Socket;
    this.#leaveStep();
    const servername = isIP(proxy.host) ? '' : proxy.host;
    const socket = tls.connect({
      ALPNProtocols: ['http/1.1'],
      servername,
      // The certificate is checked against this where the proxy is given by its address.
      host: proxy.host,
      ...options,
      socket: raw,
    });
    this.#enter('proxySecureConnect', socket, 'secureConnect', () => this.#reached());
  }

  /** A proxy that speaks HTTP is connected. */
  #reached(): void {
    if (this.#order.forwards) this.#succeed();
    else this.#ask();
  }

  /** The proxy is reached: asks it to connect to the host. */
  #ask(): void {
    const socket = this.#socket as Socket;
    const headers = this.#headers();
    const reader = new ReplyReader(cleanerOf(this.#secretsIn(headers)));
    this.#enter('tunnel', socket, 'readable', () => {
      for (let chunk; (chunk = socket.read() as Buffer | null);) {
        const reply = reader.add(chunk);
        if (reply === undefined) continue;
        this.#replied(reply);
        return;
      }
    });
    socket.write(this.#request(headers));
  }

  #askBySocks(): void {
    const socket = this.#socket as Socket;
    this.#enter('tunnel', socket);
    openBySocks(this.#order, socket, (error) => {
      if (this.#isDone) return;
      // The package's own errors hold its options, the password included.
      if (error) this.#fail(this.#error(`${this.#failure()}: ${messageOf(error)}`));
      else this.#succeed();
    });
  }

  /** @throws what the user's function throws */
  #headers(): ReadonlyMap<string, ProxyHeader> {
    const { host, keepAlive, port, proxy, target } = this.#order;
    const headers = new Map<string, ProxyHeader>([['host', ['Host', target]]]);
    if (keepAlive) headers.set('proxy-connection', ['Proxy-Connection', 'keep-alive']);
    for (const [name, header] of proxy.headersFor(host, port)) headers.set(name, header);
    return headers;
  }

  /** The credentials, as they are and as they are sent. A proxy that repeats them must not bring them into an error. */
  #secretsIn(headers: ReadonlyMap<string, ProxyHeader>): string[] {
    const { username = '', password = '' } = this.#order.proxy.credentials ?? {};
    const [, authorization = []] = headers.get('proxy-authorization') ?? [];
    // Behind the name of the scheme.
    const sent = [authorization].flat().map((value) => String(value).replace(/^\S+ +/, ''));
    // A user without a password is a token.
    const secret = password || username;
    const texts = [...sent, `${username}:${password}`, secret, encodeURIComponent(secret)];
    return [...texts.filter(({ length }) => length > 1), ...this.#longValues(headers)];
  }

  /** Other headers may hold a token, too. Short values occur in other texts by chance. */
  #longValues(headers: ReadonlyMap<string, ProxyHeader>): string[] {
    const values = [...headers].filter(([name]) => name !== 'host' && name !== 'proxy-connection');
    const texts = values.flatMap(([, [, value]]) => [value].flat().map(String));
    return texts.filter(({ length }) => length >= LONG);
  }

  /** @throws for headers that are not valid */
  #request(headers: ReadonlyMap<string, ProxyHeader>): string {
    const { target } = this.#order;
    let text = `CONNECT ${target} HTTP/1.1\r\n`;
    for (const [name, value] of headers.values()) {
      for (const one of [value].flat()) {
        validateHeaderName(name);
        validateHeaderValue(name, String(one));
        text += `${name}: ${String(one)}\r\n`;
      }
    }
    return `${text}\r\n`;
  }

  #replied(reply: Reply | 'too long'): void {
    if (reply === 'too long') {
      this.#fail(this.#error('Proxy response headers exceeded 16384 bytes'));
      return;
    }
    const { rest, schemes, statusCode, statusLine, statusText } = reply;
    // RFC 9110, section 9.3.6: any 2xx has opened the tunnel, and has no body.
    if (statusCode !== undefined && statusCode >= 200 && statusCode < 300) {
      if (rest.length > 0) this.#socket?.unshift(rest);
      this.#succeed();
      return;
    }
    let message = `${this.#failure()}: ${statusLine}`;
    if (statusCode === 407) message += ` (${this.#missing(schemes)})`;
    this.#fail(this.#error(message, statusCode === undefined ? {} : { statusCode, statusText }));
  }

  #missing(schemes: readonly string[]): string {
    const { credentials, headers } = this.#order.proxy;
    const wanted = schemes.length > 0 ? `: it wants ${schemes.join(' or ')}` : '';
    if (!credentials && !headers) return `the proxy wants credentials, and was given none${wanted}`;
    return `the proxy does not take the credentials that it was given${wanted}`;
  }

  #failure(): string {
    const { forwards, proxy, target } = this.#order;
    const what = forwards ? 'send a request' : 'establish tunnel';
    return `Failed to ${what} to ${target} via ${proxy.name}`;
  }

  #error(message: string, more: Parameters<typeof proxyTunnel>[2] = {}): Error {
    return proxyTunnel(message, this.#order.proxy.address, more);
  }

  #endedError(): Error {
    return this.#error(`Connection to establish proxy tunnel ended unexpectedly: ${this.#failure()}`);
  }

  #timeoutError(): Error {
    const { timeout } = this.#order;
    const message = `Connection to establish proxy tunnel timed out after ${timeout}ms: ${this.#failure()}`;
    return this.#error(message, { proxyTunnelTimeout: timeout });
  }

  #startTimer(ms: number): void {
    const { proxy } = this.#order;
    const end = (): void => this.#fail(proxyTimedOut(this.#phase, proxy.host, proxy.port, ms));
    // A loop that was blocked polls once more: the answer may have come.
    this.#timer = setTimeout(() => setImmediate(end), ms);
    if (!this.#order.holdsProcess) this.#timer.unref();
  }

  #succeed(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#end();
    this.#answer(undefined, this.#socket);
  }

  #fail(error: unknown): void {
    if (this.#isDone) return;
    this.cancel();
    // Code of others throws anything. Without an error, the answer would be taken for a success.
    this.#answer(error || this.#error(this.#failure()), undefined);
  }

  #end(): void {
    this.#leaveStep();
    clearTimeout(this.#timer);
  }
}

/** Errors may be anything: those of a `lookup` or a check of the user's are passed on as they are. */
function nameProxy(error: unknown, proxy: string): void {
  try {
    if (typeof error === 'object' && error !== null) Reflect.set(error, 'proxy', proxy);
  } catch {
    // It has a setter or a trap that throws.
  }
}

function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const message = propertyOf(error, 'message');
  return typeof message === 'string' ? message : 'an error without a message';
}

function ignore(): void {}
