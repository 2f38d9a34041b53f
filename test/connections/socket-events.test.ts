/** The reports of a pooled socket to its owner, for each event in each state; and that nothing of ours stays on a socket that leaves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listen, listenToKeylog, stopListening } from '../../src/connections/socket-events.js';
import { timerOf } from '../../src/node/socket.js';
import { fakeOwner } from './fake-owner.js';
import type { FakeOwner } from './fake-owner.js';

function listening(state: string, saves = false): FakeOwner {
  const fake = fakeOwner(state, saves);
  listen(fake.pooled, false);
  return fake;
}

function systemError(code: string): Error {
  return Object.assign(new Error(code), {
    code,
    errno: -1,
    syscall: 'read',
    address: '192.0.2.1',
    port: 443,
  });
}

describe('A pooled socket', () => {
  it('gets one listener for each event, and has none of them when it leaves', () => {
    const { pooled, socket } = fakeOwner('idle');
    const counts = (): number[] => socket.eventNames().map((event) => socket.listenerCount(event));
    const before = [socket.eventNames(), counts(), socket.push];
    listen(pooled, true);
    listenToKeylog(pooled);
    for (const event of ['free', 'close', 'timeout', 'agentRemove'])
      assert.equal(socket.listenerCount(event), 1, event);
    stopListening(pooled);
    socket.removeAllListeners('keylog');
    assert.deepEqual([socket.eventNames(), counts(), socket.push], before);
    assert.equal(pooled.interceptsDestroy, false);
  });

  for (const [text, reason] of [
    ['HTTP/1.1 408 Request Timeout\r\n\r\n', 'server-closed'],
    ['HTTP/1.0 408 Request Timeout\r\n\r\n', 'server-closed'],
    ['HTTP/1.1 200 Ok\r\n\r\n', 'poisoned'],
    ['HTTP/2.0 408', 'poisoned'],
    ['x', 'poisoned'],
  ] as const) {
    it(`that is idle is closed as ${reason} by ${JSON.stringify(text.slice(0, 12))}`, () => {
      const { pooled, socket, told } = listening('idle');
      socket.push(Buffer.from(text));
      assert.deepEqual(told, [`close ${reason}`]);
      assert.equal(pooled.dismissed, reason === 'server-closed');
    });
  }

  it('hands over what was read to nobody but its request', () => {
    const { socket } = listening('idle');
    socket.push(Buffer.from('stray'));
    assert.equal(socket.readableLength, 0);
  });

  it('has its request saved at the end of file, whatever state it is in', () => {
    for (const state of ['active', 'idle', 'connecting']) {
      const { socket, told } = listening(state);
      socket.emit('end');
      assert.deepEqual(told, ['lost']);
    }
  });

  it('tells of its close once each: replays first, then the agent, then its owner', async () => {
    const { socket, told } = listening('active');
    socket.emit('close');
    await new Promise(setImmediate);
    assert.deepEqual(told, ['closing', 'removeSocket', 'remove']);
  });

  for (const [state, expected] of [
    ['idle', ['close server-closed']],
    ['validating', ['close server-closed']],
    ['active', ['destroySocket failed']],
  ] as const) {
    it(`that says an error while it is ${state} serves nobody any more`, async () => {
      const { pooled, socket, told } = listening(state);
      socket.emit('error', new Error('failed'));
      // Listeners of others come first where somebody has it.
      await new Promise(setImmediate);
      assert.deepEqual(
        told.map((line) => line.replace(/ $/, '')),
        expected,
      );
      assert.ok(pooled.poisoned);
    });
  }

  it('tells that its peer is dead, by a system call only', () => {
    for (const [error, dead] of [
      [systemError('ETIMEDOUT'), true],
      [systemError('EHOSTUNREACH'), true],
      [systemError('ECONNRESET'), false],
      [Object.assign(new Error('late'), { code: 'ETIMEDOUT' }), false],
      ['no object', false],
    ] as const) {
      const { socket, told } = listening('idle');
      socket.emit('error', error);
      assert.equal(told.includes('peerDied 192.0.2.1 443'), dead, String(error));
    }
  });

  it('is closed by its own timer while it is idle, and not while a request has it', () => {
    for (const [state, expected] of [
      ['idle', ['close idle-timeout']],
      ['validating', ['close idle-timeout']],
      ['active', []],
    ] as const) {
      const { pooled, socket, told } = listening(state);
      pooled.requestTimer = {};
      socket.emit('timeout');
      assert.deepEqual(told, expected);
    }
  });

  it('is not closed by the timer that its last request has left', () => {
    const { pooled, socket, told } = listening('idle');
    pooled.requestTimer = timerOf(socket);
    socket.emit('timeout');
    assert.deepEqual(told, []);
  });

  it('belongs to the caller when it leaves HTTP', () => {
    const { socket, told } = listening('active');
    socket.emit('agentRemove');
    assert.deepEqual(told, ['remove', 'removeSocket']);
  });

  it('has the error of a loss kept back if its request goes on', async () => {
    for (const saves of [true, false]) {
      const { pooled, socket, told } = listening('active', saves);
      const errors: unknown[] = [];
      socket.on('error', (error) => errors.push(error));
      socket.destroy(systemError('ECONNRESET'));
      await new Promise(setImmediate);
      assert.equal(told[0], 'lost ECONNRESET');
      assert.equal(errors.length, saves ? 0 : 1);
      assert.ok(pooled.endedByPeer);
    }
  });

  it('has no error kept back that is not its loss', async () => {
    const { socket, told } = listening('active', true);
    let error: unknown;
    socket.on('error', (reason) => (error = reason));
    socket.destroy(new Error('decided'));
    await new Promise(setImmediate);
    assert.ok(!told.some((line) => line.startsWith('lost')));
    assert.equal((error as Error).message, 'decided');
  });
});
