/** A pooled socket whose owner notes what it is told, and does nothing: for tests of single parts. */
import { PassThrough } from 'node:stream';
import { PooledSocket } from '../../src/connections/pooled-socket.js';
import type { Owner } from '../../src/connections/pooled-socket.js';
import type { SocketLike } from '../../src/node/types.js';
import { ReplayRule } from '../../src/requests/replayable.js';

export interface FakeOwner {
  readonly owner: Owner;
  readonly pooled: PooledSocket;
  readonly socket: SocketLike & PassThrough;
  /** The reports to the owner, in order. */
  readonly told: string[];
}

/** @param saves what the owner's replays say of a loss */
export function fakeOwner(state: string, saves = false): FakeOwner {
  const told: string[] = [];
  const note =
    (name: string, answer?: unknown) =>
    (...args: unknown[]): unknown => {
      const words = args.filter((arg) => typeof arg === 'string' || arg instanceof Error);
      told.push([name, ...words.map((word) => (word instanceof Error ? word.message : word))].join(' '));
      return answer;
    };
  const owner = {
    agent: {
      keepAliveMsecs: 1000,
      listeners: () => [],
      emit: note('emit'),
      removeSocket: note('removeSocket'),
    },
    pool: { close: note('close') },
    replays: {
      rule: new ReplayRule(),
      lost: note('lost', saves),
      closing: note('closing'),
      redial: note('redial', false),
    },
    transport: { forwarderOf: () => undefined, isOffered: () => false, refuses: () => false },
    young: { add: () => {}, delete: () => {} },
    connected: note('connected'),
    release: note('release'),
    remove: note('remove'),
    destroySocket: note('destroySocket'),
    peerDied: note('peerDied'),
  } as unknown as Owner;
  // Only of a stream with a handle are losses heard of first.
  const socket = Object.assign(new PassThrough(), { _handle: {} }) as unknown as SocketLike & PassThrough;
  const pooled = new PooledSocket(owner, { state } as never, socket, {});
  return { owner, pooled, socket, told };
}
