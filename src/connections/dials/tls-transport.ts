/** TLS: a secure context for each set of material, sessions that are resumed, and handshakes that may be refused for these. */
import { Agent } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { invalidName } from '../../errors.js';
import type { Options, Origin } from '../../identity/identity.js';
import { HTTPS } from '../../identity/protocol.js';
import type { Protocol } from '../../identity/protocol.js';
import {
  areConnectFunctionsOwn,
  isCreateConnectionOwn,
  isOpenedByNode,
} from '../../node/connect-functions.js';
import type { SocketLike } from '../../node/types.js';
import type { ResolvedTlsOptions } from '../../options/tls-options.js';
import { processWide } from '../../process-wide.js';
import type { Resumption } from '../../sessions/resumption.js';
import { isVerified } from '../../sessions/key-terms.js';
import type { SecureContexts } from '../../tls/secure-contexts.js';
import type { Attempt, Opening, Transport } from './transport.js';

/** Options of a connection, as `createConnection` gets them. */
type ConnectOptions = Record<string, unknown> & {
  secureContext?: SecureContext | undefined;
  session?: Buffer | undefined;
  socket?: object | undefined;
};

export class TlsTransport implements Transport {
  readonly protocol: Protocol = HTTPS;
  readonly isLayered = true;
  readonly forms = undefined;
  readonly contexts: SecureContexts;
  readonly resumption: Resumption;
  readonly options: Pick<ResolvedTlsOptions, 'eagerContext' | 'tls'>;

  constructor(contexts: SecureContexts, resumption: Resumption, options: TlsTransport['options']) {
    this.contexts = contexts;
    this.resumption = resumption;
    this.options = options;
  }

  isNodes(createConnection: unknown): boolean {
    return createConnection === Agent.prototype.createConnection;
  }

  isOpenedByNode(): boolean {
    return isOpenedByNode();
  }

  prepare({ profile }: Origin<unknown>, options: ConnectOptions): void {
    if (options.socket) takeOnce(options.socket);
    // A user's `createConnection` may change the options; a ready context would hide these changes.
    if (options.secureContext) return;
    const context = this.contexts.get(profile);
    if (context) options.secureContext = context;
  }

  begin(origin: Origin<unknown>, options: ConnectOptions, opening: Opening): Attempt {
    const { isNodes, isOpenedByNode: isByNode, isTunnelled, offersSession } = opening;
    // Over a stream that is there already, the handshake begins at once.
    const atConnect = isByNode && !options.socket;
    const attempt = this.resumption.begin(origin, options, offersSession, atConnect);
    // A connection by a user's function, or over a socket that can be used once, cannot be tried again.
    attempt.isRepeatable = isNodes && isCreateConnectionOwn() && (isTunnelled || !options.socket);
    return attempt;
  }

  isOffered(socket: object): boolean {
    return this.resumption.isOffered(socket);
  }

  refuses(socket: SocketLike, error: unknown): boolean {
    return this.resumption.refuses(socket, error);
  }

  /** Through any proxy goes a tunnel. */
  forwards(): boolean {
    return false;
  }

  leadsTo(): void {}

  forwarderOf(): undefined {
    return undefined;
  }

  /** Whether `socket` is verified, if that is asked for, and has agreed on no other protocol than HTTP/1.1. */
  isSound(socket: SocketLike, options: Options): boolean {
    // Replaced functions may do more when a connection is opened; that was not done for this one.
    if (!areConnectFunctionsOwn()) return false;
    if (socket.secureConnecting !== false || !(socket instanceof TLSSocket)) return false;
    const { alpnProtocol, authorized } = socket as unknown as TLSSocket;
    if (authorized !== true && isVerified(options)) return false;
    return !alpnProtocol || alpnProtocol.startsWith('http/1');
  }
}

const taken = processWide('secured sockets', 1, () => new WeakSet<object>());

/** Two TLS connections over one socket would read each other's bytes. */
function takeOnce(socket: object): void {
  if (taken.has(socket)) throw invalidName('options.socket', 'a socket that carries no TLS connection yet');
  taken.add(socket);
}
