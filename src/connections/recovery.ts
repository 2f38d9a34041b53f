/** Sees to exchanges that were found to be cut short (see interrupted.ts): each connection goes on, or gives its place back. */
import { connectionLabel } from '../debug-lines.js';
import { debug } from '../debug.js';
import { connectionReset } from '../errors.js';
import { PendingRequest } from '../requests/pending-request.js';
import { Interrupted } from './interrupted.js';
import type { Owner, PooledSocket } from './pooled-socket.js';

export class Recovery {
  readonly #owner: Owner;
  readonly #pooledSockets: () => Iterable<PooledSocket>;
  readonly #interrupted = new Interrupted();

  /** @param pooledSockets all there are */
  constructor(owner: Owner, pooledSockets: () => Iterable<PooledSocket>) {
    this.#owner = owner;
    this.#pooledSockets = pooledSockets;
  }

  /** @param isFirst it did not look in the turn before */
  look(isFirst: boolean): void {
    const owner = this.#owner;
    for (const [pooled, interruption] of this.#interrupted.look(this.#pooledSockets(), isFirst)) {
      const { connection, socket } = pooled;
      debug.enabled && debug('%s was interrupted: %s', connectionLabel(connection), interruption);
      if (interruption === 'closed') owner.remove(socket);
      else if (interruption === 'ready') owner.connected(pooled);
      else if (interruption === 'free') owner.release(pooled);
      else if (interruption === 'untold') this.#failUntold(pooled);
      else owner.pool.close(connection, 'closed');
    }
  }

  /** The request of `pooled` does not hear of the end of a socket that it has never heard of. */
  #failUntold({ connection, request, requestOptions }: PooledSocket): void {
    this.#owner.pool.close(connection, 'closed');
    if (!request || !requestOptions) return;
    const error = connectionReset('The socket did not reach the request');
    new PendingRequest(request, requestOptions, undefined).fail(error);
  }
}
