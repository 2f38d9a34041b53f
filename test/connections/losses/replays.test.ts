/** The losses after which `Replays` sends a request again: one condition at a time is missing, and forbids it. replay.test.ts tests the bytes that are sent. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Replays } from '../../../src/connections/losses/replay.js';
import type { PooledSocket } from '../../../src/connections/pooled-socket.js';
import type { AgentRequest } from '../../../src/node/types.js';
import { ReplayRule } from '../../../src/requests/replayable.js';
import { fakeOwner } from '../fake-owner.js';

function replays(rule = new ReplayRule()): Replays {
  // None of them is asked before a request has been taken off its socket.
  return new Replays(rule, {} as never, {} as never, {} as never, {} as never, {} as never);
}

/** A used connection, of which Node's client has not taken the socket yet. */
function onItsWay(more: Record<string, unknown> = {}): { pooled: PooledSocket; request: AgentRequest } {
  const { pooled } = fakeOwner('active');
  const request = {
    destroyed: false,
    method: 'GET',
    socket: null,
    getHeader: () => undefined,
    ...more,
  } as unknown as AgentRequest;
  Object.assign(pooled, { request, requestOptions: {}, interceptsDestroy: true, used: true });
  return { pooled, request };
}

describe('Replays', () => {
  it('end a socket that its request has not taken yet, and note that once', () => {
    const { pooled } = onItsWay();
    const all = replays();
    assert.equal(all.lost(pooled), true);
    const { replayRequest } = pooled;
    assert.ok(replayRequest?.isResent);
    assert.ok(pooled.socket.destroyed);
    assert.equal(all.lost(pooled), true);
    assert.equal(pooled.replayRequest, replayRequest);
  });

  const forbidding: Record<string, (pooled: PooledSocket, request: Record<string, unknown>) => unknown> = {
    'it has no request': (pooled) => (pooled.request = undefined),
    'its request must not be given another one': (pooled) => (pooled.requestOptions = undefined),
    'it has served no request before': (pooled) => (pooled.used = false),
    'an answer has begun': (pooled) => (pooled.answered = true),
    'its losses are not heard of first': (pooled) => (pooled.interceptsDestroy = false),
    'it is being closed': (pooled) => Object.assign(pooled.connection, { state: 'closing' }),
    'its request was destroyed': (_pooled, request) => (request['destroyed'] = true),
    'its request is none of Node’s': (_pooled, request) => (request['destroyed'] = undefined),
    'its request was aborted': (_pooled, request) => (request['aborted'] = true),
    'its request has a response': (_pooled, request) => (request['res'] = {}),
  };
  for (const [title, change] of Object.entries(forbidding)) {
    it(`leave a connection alone if ${title}`, () => {
      const { pooled, request } = onItsWay();
      change(pooled, request as unknown as Record<string, unknown>);
      assert.equal(replays().lost(pooled), false);
      assert.equal(pooled.replayRequest, undefined);
      assert.ok(!pooled.socket.destroyed);
    });
  }

  it('leave all alone where the option says never', () => {
    assert.equal(replays(new ReplayRule(0)).lost(onItsWay().pooled), false);
  });

  it('reconsider a risk only while Node’s client has not taken the socket', () => {
    const risky = onItsWay();
    replays().reconsider(risky.pooled);
    assert.ok(!risky.pooled.socket.destroyed, 'a GET may risk it');
    const careful = onItsWay({ method: 'POST' });
    replays().reconsider(careful.pooled);
    assert.ok(careful.pooled.socket.destroyed, 'a POST may not');
    const taken = onItsWay({ method: 'POST' });
    Object.assign(taken.request, { socket: taken.pooled.socket });
    replays().reconsider(taken.pooled);
    assert.ok(!taken.pooled.socket.destroyed, 'it is too late');
  });

  it('do nothing when a connection closes of which nothing was noted, or whose request has ended since', () => {
    const { pooled, request } = onItsWay();
    const all = replays();
    all.closing(pooled);
    assert.equal(pooled.request, request);
    all.lost(pooled);
    Object.assign(request, { destroyed: true });
    all.closing(pooled);
    assert.equal(pooled.replayRequest, undefined);
    assert.equal(pooled.request, request);
  });

  it('make no second dial without a refused session, a request to give it to, or with an answer', () => {
    let ends = 0;
    const offered = { take: () => undefined, end: () => ends++ };
    const { pooled } = onItsWay();
    assert.equal(replays().redial(pooled), false);
    Object.assign(pooled, { offered });
    assert.equal(replays().redial(pooled), false, 'what was written is not known');
    assert.equal(ends, 1);
    for (const change of Object.values(forbidding).slice(5)) {
      const other = onItsWay();
      Object.assign(other.pooled, { offered });
      change(other.pooled, other.request as unknown as Record<string, unknown>);
      assert.equal(replays().redial(other.pooled), false);
    }
    assert.equal(ends, 1);
  });
});
