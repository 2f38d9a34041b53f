/** Whether a connection may be given to the next request: each thing that speaks against it does so alone. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import {
  allowsAnother,
  isFresh,
  isKept,
  isQuiet,
  isReadyForNext,
  isReadyToLease,
  isUsable,
  passPoll,
} from '../../src/connections/hand-over.js';
import type { PooledSocket } from '../../src/connections/pooled-socket.js';
import { headMark } from '../../src/node/exchange.js';
import { pendingRead } from '../../src/node/handle.js';
import { currentPoll, pollCount, polledSince } from '../../src/node/poll-count.js';
import type { AgentRequest } from '../../src/node/types.js';
import { fakeOwner } from './fake-owner.js';

/** A request as far as it is asked here; without a body, and sent. */
function requestWith(values: object = {}, headers: Record<string, string> = {}): AgentRequest {
  const req = {
    method: 'GET',
    shouldKeepAlive: true,
    useChunkedEncodingByDefault: false,
    _headerSent: true,
    getHeader: (name: string) => headers[name],
    ...values,
  };
  return req as unknown as AgentRequest;
}

const CLOSE = { connection: 'close' };

describe('Another request may follow', () => {
  function leased(req: AgentRequest | undefined): PooledSocket {
    const { pooled } = fakeOwner('active');
    if (req) pooled.lease(req);
    return pooled;
  }

  it('unless something speaks against it', () => {
    assert.equal(allowsAnother(leased(requestWith())), true);
    assert.equal(allowsAnother(leased(undefined)), true, 'no request had it');
  });

  it('unless a byte came that no request had asked for', () => {
    const pooled = leased(requestWith());
    pooled.poisoned = true;
    assert.equal(allowsAnother(pooled), false);
  });

  it('unless the agent is made for one request', () => {
    const { isOneOff, ...values } = leased(requestWith());
    assert.equal(isOneOff, false);
    const oneOff = Object.assign(Object.create(leased(requestWith())) as object, values, { isOneOff: true });
    assert.equal(allowsAnother(oneOff as PooledSocket), false);
  });

  it('unless the server has announced this one as the last', () => {
    const pooled = leased(requestWith());
    for (const [max, expected] of [
      [undefined, true],
      [2, true],
      [1, false],
      [0, false],
    ] as const) {
      pooled.hint = { timeout: 5, max };
      assert.equal(allowsAnother(pooled), expected, String(max));
    }
  });

  it('unless the response or the request says close', () => {
    assert.equal(allowsAnother(leased(requestWith({ shouldKeepAlive: false }))), false);
    assert.equal(allowsAnother(leased(requestWith({}, CLOSE))), false);
  });

  it('after a request that says close and was never sent, but not where Node gives the connection up', () => {
    assert.equal(allowsAnother(leased(requestWith({ _headerSent: false }, CLOSE))), true);
    const both = requestWith({ _headerSent: false, shouldKeepAlive: false }, CLOSE);
    assert.equal(allowsAnother(leased(both)), false);
  });

  it('unless it cannot be told whether a request was sent', (t) => {
    t.after(headMark.switchOff());
    assert.equal(allowsAnother(leased(requestWith())), false);
  });

  it('as far as the two sides say', () => {
    assert.equal(isKept(requestWith()), true);
    // Node's client says what it will do when it has a response, others may never.
    assert.equal(isKept(requestWith({ shouldKeepAlive: undefined })), true);
    assert.equal(isKept(requestWith({ shouldKeepAlive: false })), false);
    assert.equal(isKept(requestWith({}, CLOSE)), false);
  });
});

describe('A connection is usable', () => {
  /** It looks like `values` from outside. */
  function looking(values: PropertyDescriptorMap): PooledSocket {
    const { pooled, socket } = fakeOwner('idle');
    Object.defineProperties(socket, values);
    return pooled;
  }

  it('unless something speaks against it', () => {
    assert.equal(isUsable(undefined), false);
    assert.equal(isUsable(looking({})), true);
    assert.equal(isUsable(looking({ writable: { value: false } })), false);
    assert.equal(isUsable(looking({ readableEnded: { value: true } })), false);
    assert.equal(isUsable(looking({ readableLength: { value: 1 } })), false);
    const poisoned = looking({});
    poisoned.poisoned = true;
    assert.equal(isUsable(poisoned), false);
  });

  it('not if its socket throws when it is asked', () => {
    const get = (): never => {
      throw new Error('asked');
    };
    assert.equal(isUsable(looking({ writable: { get } })), false);
  });
});

it('A connection is quiet if its ledger is balanced', () => {
  const { pooled } = fakeOwner('active');
  for (const balanced of [true, false]) {
    assert.equal(isQuiet({ ledger: { balanced } } as PooledSocket), balanced);
  }
  assert.equal(isQuiet(pooled), false, 'its stream counts nothing');
});

/** Milliseconds for which a poll is believed. */
const FRESH = 2;
const NOW = 1_000_000;

/** Idle, with a descriptor, and last polled long before `NOW`. */
function rested(): PooledSocket {
  const { pooled, socket } = fakeOwner('idle');
  Object.assign(socket, { _handle: { fd: 7 } });
  return Object.assign(pooled, { used: true, interceptsDestroy: true, polledAt: 0, idleFrom: 0 });
}

const GET = requestWith();

/** The loop has polled at `time`, by the clock that the pool is told, and this is the turn after it. */
async function pollAt(time: number): Promise<void> {
  const look = (): void => {
    const poll = currentPoll();
    if (poll) polledSince(poll, time);
  };
  look();
  await setImmediate();
  look();
}

it('A released connection goes to the request behind if it was read just now, and all of that is delivered', () => {
  const pooled = Object.assign(rested(), { polledAt: NOW });
  assert.equal(
    isReadyForNext(pooled, () => NOW),
    false,
    'its stream counts nothing',
  );
  Object.defineProperty(pooled, 'ledger', { value: { balanced: true } });
  assert.equal(
    isReadyForNext(pooled, () => NOW + FRESH - 0.1),
    true,
  );
  assert.equal(
    isReadyForNext(pooled, () => NOW + FRESH),
    false,
  );
});

describe('An idle connection may be leased', () => {
  it('if it was read just now, whatever the request is', () => {
    const pooled = rested();
    pooled.polledAt = NOW;
    assert.equal(isFresh(pooled, NOW + FRESH - 0.1), true);
    assert.equal(isReadyToLease(pooled, NOW + FRESH - 0.1, undefined), true);
    assert.equal(isFresh(pooled, NOW + FRESH), false);
    assert.equal(isReadyToLease(pooled, NOW + FRESH, undefined), false);
    assert.equal(pooled.leasedIn, undefined);
  });

  it('not if it was not, and nothing is known of polls', async (t) => {
    t.after(pollCount.switchOff());
    await pollAt(NOW);
    assert.equal(isReadyToLease(rested(), NOW, GET), false);
  });
});

describe('Where the system can be asked, its answer counts, and nothing else', () => {
  /** `answers` are given one after the other, and the last one from then on. */
  function asking(...answers: boolean[]): PooledSocket {
    const pooled = rested();
    const hasPendingRead = (): boolean | undefined => (answers.length > 1 ? answers.shift() : answers[0]);
    Object.assign(pooled.socket, { _handle: { fd: 7, hasPendingRead } });
    return pooled;
  }

  /** Below TLS. */
  function askingBelow(answer: boolean): PooledSocket {
    const pooled = rested();
    Object.assign(pooled.socket, { _handle: { fd: 7, _parent: { hasPendingRead: () => answer } } });
    return pooled;
  }

  it('for a lease, whatever the request is, and whenever it was read', () => {
    for (const polledAt of [0, NOW])
      for (const req of [undefined, GET, requestWith({ method: 'POST' })])
        for (const make of [asking, askingBelow])
          for (const isPending of [true, false]) {
            const pooled = Object.assign(make(isPending), { polledAt });
            assert.equal(isReadyToLease(pooled, NOW + 1, req), !isPending);
            assert.equal(pooled.leasedIn, undefined);
          }
  });

  it('for the request behind, if all that was read is delivered', () => {
    for (const isPending of [true, false])
      for (const polledAt of [0, NOW]) {
        const pooled = Object.assign(askingBelow(isPending), { polledAt });
        const noClock = (): number => assert.fail('the system tells more than the clock');
        assert.equal(isReadyForNext(pooled, noClock), false, 'its stream counts nothing');
        Object.defineProperty(pooled, 'ledger', { value: { balanced: true } });
        assert.equal(isReadyForNext(pooled, noClock), !isPending);
      }
  });

  it('for a connection that is validated', () => {
    const pooled = Object.assign(asking(true, false), { polledAt: NOW });
    assert.equal(passPoll(pooled, NOW + 1), false, 'something has come since the poll');
    assert.equal(passPoll(pooled, NOW + 1000), true);
    assert.deepEqual([pooled.polls, pooled.poisoned], [0, false]);
  });

  it('and one to which something comes again and again is given to nobody', () => {
    const pooled = asking(true);
    for (const turn of [1, 2, 3]) assert.equal(passPoll(pooled, NOW + turn), false);
    assert.equal(passPoll(pooled, NOW + 4), true);
    assert.equal(isUsable(pooled), false);
  });

  it('unless it is not believed', (t) => {
    t.after(pendingRead.switchOff());
    assert.equal(isReadyToLease(Object.assign(asking(true), { polledAt: NOW }), NOW + 1, undefined), true);
    assert.equal(isReadyToLease(asking(false), NOW + 1, undefined), false);
  });
});

pollCount.found(true);
const withPolls = { skip: !pollCount.holds && 'the loop does not count its polls' };

describe('An idle connection that has rested may be leased just after a poll', withPolls, () => {
  const refusals: Record<string, (pooled: PooledSocket) => AgentRequest | undefined> = {
    'there is no request': () => undefined,
    'it has not served before': (pooled) => {
      pooled.used = false;
      return GET;
    },
    'its loss would not be heard of first': (pooled) => {
      pooled.interceptsDestroy = false;
      return GET;
    },
    'the request cannot be sent twice': () => requestWith({ method: 'POST' }),
    'the request will have a body': () => requestWith({ useChunkedEncodingByDefault: true }),
    'its bytes come from no descriptor': (pooled) => {
      Object.assign(pooled.socket, { _handle: { fd: -1 } });
      return GET;
    },
    'it was not idle by then': (pooled) => {
      pooled.idleFrom = NOW + 1;
      return GET;
    },
    'it has been leased since': (pooled) => {
      pooled.idleFrom = Infinity;
      return GET;
    },
  };

  it('by a request that can be sent twice, and the guard is told of the poll', async () => {
    await pollAt(NOW);
    const pooled = rested();
    assert.equal(isReadyToLease(pooled, NOW + 1, GET), true);
    assert.deepEqual(pooled.leasedIn && { ...pooled.leasedIn }, { ...currentPoll() });
    assert.equal(pooled.precedesLease, true);
  });

  for (const [why, prepare] of Object.entries(refusals)) {
    it(`not if ${why}`, async () => {
      await pollAt(NOW);
      const pooled = rested();
      const req = prepare(pooled);
      assert.equal(isReadyToLease(pooled, NOW + 1, req), false);
      assert.equal(pooled.leasedIn, undefined);
    });
  }

  it('not if it became idle at the very moment of the poll: its last bytes may have come in that', async () => {
    await pollAt(NOW);
    const poll = currentPoll();
    assert.ok(poll);
    const pooled = rested();
    pooled.idleFrom = polledSince(poll, NOW + 1);
    assert.equal(isReadyToLease(pooled, NOW + 1, GET), false);
    pooled.idleFrom -= 0.1;
    assert.equal(isReadyToLease(pooled, NOW + 1, GET), true);
  });

  it('not if the loop has been busy since, and then not by the poll of a lease before', async () => {
    await pollAt(NOW);
    const pooled = rested();
    assert.equal(isReadyToLease(pooled, NOW + 1, GET), true);
    // A poll without waiting takes no time that could count.
    assert.equal(isReadyToLease(pooled, NOW + 1000, GET), false);
    assert.equal(pooled.leasedIn, undefined);
  });
});

describe('A connection that is validated passes', () => {
  /** After a poll at a time that is long past. */
  async function validating(): Promise<{ pooled: PooledSocket; resets: () => number }> {
    await pollAt(0);
    const pooled = rested();
    let resets = 0;
    const reset = pooled.ledger.reset.bind(pooled.ledger);
    pooled.ledger.reset = () => {
      resets++;
      reset();
    };
    return { pooled, resets: () => resets };
  }

  it('if it was polled just now', async () => {
    const { pooled, resets } = await validating();
    Object.assign(pooled, { polledAt: NOW, polls: 2 });
    assert.equal(passPoll(pooled, NOW + 1), true);
    assert.deepEqual([pooled.polls, resets()], [0, 1]);
  });

  it('if the loop has polled just now', withPolls, async () => {
    const { pooled, resets } = await validating();
    await pollAt(NOW);
    pooled.polls = 1;
    assert.equal(passPoll(pooled, NOW + 1), true);
    assert.deepEqual([pooled.polls, resets(), pooled.polledAt], [0, 1, 0]);
  });

  it('after three turns of a loop that is always busy', async () => {
    const { pooled, resets } = await validating();
    for (const turn of [1, 2, 3]) {
      const now = NOW + 1000 * turn;
      assert.equal(passPoll(pooled, now), false);
      assert.deepEqual([pooled.polls, pooled.polledAt, resets()], [turn, now, 0]);
    }
    assert.equal(passPoll(pooled, NOW + 4000), true);
    assert.deepEqual([pooled.polls, resets()], [0, 1]);
  });

  it('at the second look, if the loop is busy no more', async () => {
    const { pooled } = await validating();
    assert.equal(passPoll(pooled, NOW), false);
    assert.equal(passPoll(pooled, NOW + 1), true);
  });
});
