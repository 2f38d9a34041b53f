/** Before a dial is given up, the event loop polls once more: what the system has by then counts. */
import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { ConnectDeadline } from '../../../src/connections/dials/connect-deadline.js';
import type { SocketLike } from '../../../src/node/types.js';
import { block } from '../../support/block.js';
import { until } from '../../support/until.js';

const LIMIT = { timeout: 120_000 };

test(
  'an answer that comes while the loop is blocked, just before the deadline, is in time',
  LIMIT,
  async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const peer = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [receiver] = (await once(server, 'connection')) as [Socket];
    t.after(() => {
      peer.destroy();
      receiver.destroy();
    });
    if (peer.connecting) await once(peer, 'connect');

    /** Shakes hands until something comes from `peer`. */
    const shaking = Object.assign(new EventEmitter(), { secureConnecting: true }) as unknown as SocketLike;
    let timedOut = false;
    let asked = 0;
    const deadline = new ConnectDeadline(50, {
      get isWanted() {
        asked++;
        // Asked in each slice of the deadline. While this one is the last, the answer comes, and the loop is busy for longer than what is left.
        if (asked === SLICES) {
          peer.write('ready');
          block(20);
        }
        return true;
      },
      timedOut: () => void (timedOut = true),
    });
    deadline.watch(shaking, '127.0.0.1');
    let isReady = false;
    receiver.on('data', () => {
      isReady = true;
      deadline.clear();
    });
    await until(() => isReady || timedOut);
    await setTimeout(20);
    assert.equal(asked, SLICES);
    assert.deepEqual({ isReady, timedOut }, { isReady: true, timedOut: false });
  },
);

/** A deadline consists of so many slices: a blocked loop costs one of them at most. */
const SLICES = 10;
