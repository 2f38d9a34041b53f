/**
 * A Node that has changed behind its public API: what rests on that is left out, and somebody is told. In a process of its own each, as what
 * was found is found once.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { ClientRequest } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkParserMark, isDone } from '../../src/node/exchange.js';
import type { AgentRequest, SocketLike } from '../../src/node/types.js';

const LIMIT = { timeout: 120_000 };

interface Outcome {
  /** Paths of the answers, or codes of the errors, in turn. */
  readonly answers: string[];
  /** Paths that the server received. */
  readonly received: string[];
  /** The texts of warnings of this package. */
  readonly warnings: string[];
}

function runChild(change: string): Promise<Outcome> {
  const child = fileURLToPath(new URL('other-node-child.js', import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [child, change], (error, stdout, stderr) => {
      if (error) reject(new Error(stderr, { cause: error }));
      else resolve(JSON.parse(stdout) as Outcome);
    });
  });
}

test('nothing is said where nothing has changed, and the lost request goes out again', LIMIT, async () => {
  assert.deepEqual(await runChild('nothing'), {
    answers: ['/first', '/lost', '/last'],
    received: ['/first', '/lost', '/lost', '/last'],
    warnings: [],
  });
});

test('a listener of Node’s client has another name', LIMIT, async () => {
  const { answers, received, warnings } = await runChild('listener');
  assert.deepEqual(answers, ['/first', 'ECONNRESET', '/last']);
  assert.deepEqual(received, ['/first', '/lost', '/last']);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^Node\.js v\S+ differs from what PoolingAgent expects .*not sent again/);
});

test('the output queue of a request has another name', LIMIT, async () => {
  const { answers, received, warnings } = await runChild('queue');
  assert.deepEqual(answers, ['/first', 'ECONNRESET', '/last']);
  assert.deepEqual(received, ['/first', '/lost', '/last']);
  assert.equal(warnings.length, 1);
});

test('methods that cannot be tried out: requests are sent, and sent again', LIMIT, async () => {
  for (const method of ['setTimeout', 'setSession']) {
    assert.deepEqual(await runChild(method), {
      answers: ['/first', '/lost', '/last'],
      received: ['/first', '/lost', '/lost', '/last'],
      warnings: [],
    });
  }
});

test('functions that others replace are written otherwise: they count as replaced', LIMIT, async () => {
  const { answers, received, warnings } = await runChild('source');
  assert.deepEqual(answers, ['/first', '/lost', '/last']);
  assert.deepEqual(received, ['/first', '/lost', '/lost', '/last']);
  const named = ['connect', 'createSecureContext', 'checkServerIdentity', "an agent's addRequest"];
  for (const name of named) {
    const said = warnings.filter((warning) => warning.includes(`(the source of ${name} is as we know it)`));
    assert.equal(said.length, 1, name);
  }
  assert.equal(warnings.length, named.length);
});

for (const change of ['fakes', 'date']) {
  test(`nothing is found behind ${change}: what there is has to do`, LIMIT, async () => {
    const { answers, received, warnings } = await runChild(change);
    assert.deepEqual(answers, ['/first', '/lost', '/last']);
    assert.deepEqual(received, ['/first', '/lost', '/lost', '/last']);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? '', /found behind fakes/);
  });
}

test('the parser stays on the socket: a response that is complete is believed to be all', LIMIT, async () => {
  const said = once(process, 'warning') as Promise<[Error & { code?: string }]>;
  const req = Object.assign(Object.create(ClientRequest.prototype) as AgentRequest, {
    res: { complete: true },
  });
  const socket = { parser: {} } as SocketLike;
  Object.assign(req, { socket });
  assert.equal(isDone(req, socket), false, 'as long as nothing is known');
  checkParserMark(req, socket);
  assert.equal(isDone(req, socket), true);
  const [{ code, message }] = await said;
  assert.equal(code, 'POOLING_AGENT_NODE');
  assert.match(message, /parser/);
});
