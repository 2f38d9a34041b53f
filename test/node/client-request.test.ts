/**
 * The end of a request that is sent again, told as each Node tells it: some emit 'finish' although the first write has failed, others have
 * to be told. Here on any Node, by the marks that these leave on a request.
 */
import assert from 'node:assert/strict';
import { ClientRequest, OutgoingMessage } from 'node:http';
import { test } from 'node:test';
import { detaching, isDetachable, queueAgain } from '../../src/node/client-request.js';
import { ownSymbol } from '../../src/node/symbols.js';
import type { AgentRequest, SocketLike } from '../../src/node/types.js';

type Marked = AgentRequest & {
  outputData: { callback: ((error?: Error | null) => void) | null }[];
  finished: boolean;
  _ended: boolean;
};

/** A request whose caller has ended it, and which is queued to be sent again. */
function sentAgain(): { req: Marked; events: string[]; written: (error?: Error) => void } {
  const req = Object.create(ClientRequest.prototype) as Marked;
  OutgoingMessage.call(req as unknown as OutgoingMessage);
  req.finished = true;
  const events: string[] = [];
  req.on('finish', () => events.push('finish'));
  queueAgain(req, [
    { data: 'head', encoding: 'latin1', callback: null },
    { data: 'body', encoding: 'latin1', callback: null },
  ]);
  assert.equal(req.outputData[0]?.callback, null);
  return { req, events, written: (error) => req.outputData.at(-1)?.callback?.(error) };
}

/** Sets a mark of Node's, or one that looks like it where this Node has none. */
function mark(req: object, name: string, value: unknown): () => unknown {
  const symbol = ownSymbol(req, name) ?? Symbol(name);
  Reflect.set(req, symbol, value);
  return () => Reflect.get(req, symbol);
}

test('a request that has not finished finishes when it was written again, once, and keeps no error', () => {
  const { req, events, written } = sentAgain();
  const finished = mark(req, 'kWritableFinished', false);
  const flushError = mark(req, 'kFlushError', new Error('of the first write'));
  written();
  assert.deepEqual([events, finished(), flushError()], [['finish'], true, null]);
  written();
  assert.deepEqual(events, ['finish']);
});

test('also where Node keeps no such error', () => {
  const { req, events, written } = sentAgain();
  const finished = mark(req, 'kWritableFinished', false);
  if (ownSymbol(req, 'kFlushError')) mark(req, 'kFlushError', null);
  written();
  assert.deepEqual([events, finished()], [['finish'], true]);
});

test('a write that fails again says nothing', () => {
  const { req, events, written } = sentAgain();
  const finished = mark(req, 'kWritableFinished', false);
  written(new Error('lost again'));
  assert.deepEqual([events, finished()], [[], false]);
});

test('a response that was all there before waits no longer for a finish that has come already', () => {
  for (const [isEnded, isDestroyed] of [
    [true, false],
    [false, false],
    [true, true],
  ]) {
    const { req, events, written } = sentAgain();
    mark(req, 'kWritableFinished', true);
    let freed = 0;
    req.on('finish', function requestOnFinish() {
      freed++;
    });
    Object.assign(req, { _ended: isEnded, destroyed: isDestroyed });
    written();
    // It alone: nobody else hears of a second finish.
    assert.deepEqual([freed, events], [isEnded && !isDestroyed ? 1 : 0, []]);
  }
});

test('a listener of Node’s client that looks for the request elsewhere is left alone, and nothing is sent again', () => {
  const req = Object.create(ClientRequest.prototype) as Marked & { socket: unknown };
  OutgoingMessage.call(req as unknown as OutgoingMessage);
  const named: Record<string, () => void> = {
    socketCloseListener() {
      throw new TypeError('This is not the socket that it was');
    },
    socketOnEnd() {},
  };
  const socket = {
    _httpMessage: req,
    listeners: () => Object.values(named),
  } as unknown as SocketLike;
  Object.defineProperty(req, 'socket', { value: socket });
  Object.assign(req, { onSocket() {}, _header: null });
  assert.equal(isDetachable(req, socket), false);
  assert.equal(detaching.holds, false);
});
