/** Plain TCP: nothing is negotiated, and a connection is ready when it is connected. An `http:` or `https:` proxy forwards requests, so that none needs a tunnel. */
import { Agent } from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Route } from '../../egress/routes.js';
import { HTTP } from '../../identity/protocol.js';
import type { Protocol } from '../../identity/protocol.js';
import type { ProxyServer } from '../../limits/proxy-choice.js';
import { isPlainOpenedByNode } from '../../node/connect-functions.js';
import type { SocketLike } from '../../node/types.js';
import type { SecureContexts } from '../../tls/secure-contexts.js';
import { checkForm, giveForm } from './request-forms.js';
import type { Attempt, RequestForms, Transport } from './transport.js';

const NOTHING_MORE: Attempt = { unsent() {}, watch() {}, awaitHandshake() {}, secured() {} };

export class PlainTransport implements Transport {
  readonly protocol: Protocol = HTTP;
  readonly isLayered = false;
  readonly forms: RequestForms = { giveForm, checkForm };
  readonly contexts: SecureContexts;
  readonly #forwarders = new WeakMap<object, ProxyServer>();

  constructor(contexts: SecureContexts) {
    this.contexts = contexts;
  }

  isNodes(createConnection: unknown): boolean {
    return createConnection === Agent.prototype.createConnection;
  }

  isOpenedByNode(): boolean {
    return isPlainOpenedByNode();
  }

  prepare(): void {}

  begin(): Attempt {
    return NOTHING_MORE;
  }

  isOffered(): boolean {
    return false;
  }

  refuses(): boolean {
    return false;
  }

  isSound(socket: SocketLike): boolean {
    return isPlainOpenedByNode() && socket instanceof Socket && !(socket instanceof TLSSocket);
  }

  forwards(route: NonNullable<Route>): boolean {
    return route.protocol === 'http:' || route.protocol === 'https:';
  }

  leadsTo(socket: object, proxy: ProxyServer): void {
    this.#forwarders.set(socket, proxy);
  }

  forwarderOf(socket: object): ProxyServer | undefined {
    return this.#forwarders.get(socket);
  }
}
