/**
 * Each fault by itself, on a connection that has served a request: how the request that meets it ends, and that the
 * next ones are none the worse for it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { activeCount, idleCount, poolingAgent, waitingCount } from '../support/agent.js';
import { faultServer } from '../support/fault-server/index.js';
import { HANDSHAKE_FAULTS } from '../support/fault-server/handshake-faults.js';
import type { HandshakeFault } from '../support/fault-server/handshake-faults.js';
import { IDLE_FAULTS } from '../support/fault-server/idle-faults.js';
import type { IdleFault } from '../support/fault-server/idle-faults.js';
import { REQUEST_FAULTS } from '../support/fault-server/request-faults.js';
import type { RequestFault } from '../support/fault-server/request-faults.js';
import { isPlain } from '../support/protocol.js';
import { TaggedClient } from '../support/tagged-client.js';
import type { Outcome } from '../support/tagged-client.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };

/** Milliseconds: for what has to end by itself, and for what never would. */
const ENDS = 20_000;
const NEVER_ENDS = 150;
const SILENT = new Set<string>(['never', 'stall-mid-body', 'hang']);
const patienceFor = (fault: string): number => (SILENT.has(fault) ? NEVER_ENDS : ENDS);

/** Those that leave a request without an answer; the others answer it before they go wrong, or while they do. */
const UNANSWERED = new Set<string>([
  'never',
  'stall-mid-body',
  'close-mid-head',
  'reset-mid-head',
  'close-mid-body',
  'reset-mid-body',
  'truncated-chunks',
  'bad-chunk',
  'short-body',
  'two-lengths',
  'long-head',
  'garbage',
  'switching',
  'alert',
] satisfies RequestFault[]);

/** No byte of an answer came: on a used connection, it may be sent again. */
const BEFORE_THE_ANSWER = new Set<string>([
  'close-on-arrival',
  'end-on-arrival',
  'reset-on-arrival',
  'half-close',
] satisfies RequestFault[]);

/** Either is right: it depends on who is faster, or on whether an error in TLS is one after which to try again. */
const EITHER = new Set<string>([
  'reset-after',
  'early',
  'early-close',
  'bad-record',
] satisfies RequestFault[]);

/** They are about TLS. */
const OVER_TLS = new Set<string>(['alert', 'bad-record', 'plain-http'] satisfies (
  RequestFault | HandshakeFault
)[]);
const optionsFor = (fault: string): object => ({ ...LIMIT, skip: isPlain && OVER_TLS.has(fault) });

async function over(t: TestContext, seed = 1, handshakes = {}) {
  const server = await faultServer(t, { seed, handshakes });
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  const client = new TaggedClient(agent);
  const quiet = async (): Promise<void> => {
    await until(() => activeCount(agent) === 0 && waitingCount(agent) === 0);
    for (let turn = 0; turn < 3; turn++) await setImmediate();
  };
  return { server, agent, client, quiet };
}

describe('in place of an answer', () => {
  for (const fault of Object.keys(REQUEST_FAULTS)) {
    for (const method of ['GET', 'POST'] as const) {
      test(`${fault}, ${method}`, optionsFor(fault), async (t) => {
        const { server, client, quiet } = await over(t);
        const body = method === 'POST' ? { body: 'x'.repeat(1000) } : {};
        assert.equal(await client.send({ server, patience: ENDS }), 'answered');
        const shot = { server, method, ...body, headers: { 'x-fault': fault }, patience: patienceFor(fault) };
        const outcomes: Promise<Outcome>[] = [
          client.send(shot),
          client.send({ server, patience: ENDS }),
          client.send({ server, patience: ENDS }),
        ];
        const [outcome, ...behind] = await Promise.all(outcomes);
        await quiet();
        if (BEFORE_THE_ANSWER.has(fault)) {
          assert.equal(outcome, method === 'GET' ? 'answered' : 'failed', 'what may be sent again, is');
        } else if (!EITHER.has(fault)) {
          assert.equal(outcome, UNANSWERED.has(fault) ? 'failed' : 'answered');
        }
        // A stray response that comes later than the answer may cross the next request.
        const right: Outcome[] = fault.startsWith('twice-') ? ['answered', 'crossed'] : ['answered'];
        for (const other of behind) assert.ok(right.includes(other), `the request behind it: ${other}`);
        const last = await client.send({ server, patience: ENDS });
        assert.ok(right.includes(last), `the last request: ${last}`);
        assert.deepEqual(client.wrong, []);
        const { byMethod, repeatedByMethod } = await server.statistics();
        if (method === 'POST') assert.equal(byMethod['POST'], 1, 'it was sent once');
        if (UNANSWERED.has(fault)) assert.deepEqual(repeatedByMethod, {}, 'nothing was sent twice');
      });
    }
  }
});

describe('while idle', () => {
  for (const fault of Object.keys(IDLE_FAULTS) as IdleFault[]) {
    test(fault, LIMIT, async (t) => {
      const { server, agent, client, quiet } = await over(t);
      await client.send({ server, headers: { 'x-idle': `${fault} 5` }, patience: ENDS });
      await quiet();
      if (fault === 'deaf') {
        await until(async () => (await server.statistics()).faults['deaf'] === 1);
        assert.equal(await client.send({ server, patience: NEVER_ENDS }), 'failed', 'it could not be known');
      } else {
        await until(() => agent.totalSocketCount === 0);
      }
      assert.equal(await client.send({ server, patience: ENDS }), 'answered');
      await quiet();
      assert.equal(idleCount(agent), 1);
      assert.deepEqual(client.wrong, []);
    });
  }
});

describe('in the handshake', () => {
  // A response that is there before the request is written behind the handshake's end, or as good as.
  const outcomeOf: Partial<Record<HandshakeFault, Outcome>> = { unasked: 'crossed', slow: 'answered' };
  for (const fault of Object.keys(HANDSHAKE_FAULTS) as HandshakeFault[]) {
    test(fault, optionsFor(fault), async (t) => {
      const { server, agent, client, quiet } = await over(t, 1, { [fault]: 1 });
      const outcomes = await Promise.all(
        [1, 2, 3].map(() => client.send({ server, patience: patienceFor(fault) })),
      );
      for (const outcome of outcomes) assert.equal(outcome, outcomeOf[fault] ?? 'failed');
      await quiet();
      assert.deepEqual(client.wrong, []);
      assert.equal(agent.totalSocketCount, idleCount(agent));
    });
  }
});
