/** Servers that misbehave in every way there is: each request has one end, in time, with a code, and the next one is none the worse for it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { dispatcher } from '../../src/undici/index.js';
import { activeCount, poolingAgent, waitingCount } from '../support/agent.js';
import { faultServer } from '../support/fault-server/index.js';
import { HANDSHAKE_FAULTS } from '../support/fault-server/handshake-faults.js';
import { IDLE_FAULTS } from '../support/fault-server/idle-faults.js';
import { REQUEST_FAULTS } from '../support/fault-server/request-faults.js';
import { until } from '../support/until.js';
import { KINDS, recorder, run } from './support.js';
import type { Kind, Told } from './support.js';

const LIMIT = { timeout: 120_000 };

/** Milliseconds: an answer takes less on the busiest machine, and what never comes is not waited for. */
const PATIENCE = 1500;

let id = 0;

/** A request with a path of its own, as the server tells them apart by it. */
const request = (port: number, method: string, headers: Record<string, string> = {}) => ({
  origin: `https://localhost:${port}`,
  path: `/${++id}`,
  method,
  headers,
  ...(method === 'POST' && { body: 'x'.repeat(1000) }),
});

/** Whatever it was, it has a code, or is a word of Node's. */
function isRight({ error, events }: Told): void {
  if (error) assert.equal(typeof error.code, 'string', String(error));
  else assert.equal(events.at(-1), 'end');
}

const kindOf = (index: number): Kind => KINDS[index % 2] ?? 'new';

describe('in place of an answer', () => {
  for (const [index, fault] of Object.keys(REQUEST_FAULTS).entries()) {
    it(fault, LIMIT, async (t) => {
      const server = await faultServer(t, { seed: 1 });
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
      const over = dispatcher(agent, { headersTimeout: PATIENCE, bodyTimeout: PATIENCE });
      for (const method of ['GET', 'POST']) {
        const kind = kindOf(method === 'GET' ? index : index + 1);
        assert.equal((await run(over, request(server.port, 'GET'), recorder(kind))).error, undefined);
        const told = await run(over, request(server.port, method, { 'x-fault': fault }), recorder(kind));
        isRight(told);
        const next = await run(over, request(server.port, 'GET'), recorder(kind));
        assert.equal(next.error, undefined, `after ${told.error?.code}`);
      }
      await until(() => activeCount(agent) === 0 && waitingCount(agent) === 0);
      await over.close();
    });
  }
});

describe('between two requests', () => {
  for (const [index, fault] of Object.keys(IDLE_FAULTS).entries()) {
    it(fault, LIMIT, async (t) => {
      const server = await faultServer(t, { seed: 1 });
      const agent = poolingAgent(t, { ca: server.ca });
      const over = dispatcher(agent);
      await run(over, request(server.port, 'GET', { 'x-idle': `${fault} 1` }), recorder(kindOf(index)));
      for (let turn = 0; turn < 5; turn++) {
        await setImmediate();
        const told = await run(over, request(server.port, 'GET'), recorder(kindOf(index)));
        // Bytes that come just after the request was written are its answer, as far as anybody can tell.
        const isTakenForAnswer = fault === 'garbage' && String(told.error?.code).startsWith('HPE_');
        if (!isTakenForAnswer) assert.equal(told.error, undefined, 'a GET is sent again');
      }
    });
  }
});

describe('before TLS is established', () => {
  for (const [index, fault] of Object.keys(HANDSHAKE_FAULTS).entries()) {
    it(fault, LIMIT, async (t) => {
      const server = await faultServer(t, { seed: 1, handshakes: { [fault]: 1 } });
      const agent = poolingAgent(t, { ca: server.ca, connectTimeout: PATIENCE });
      const over = dispatcher(agent, { headersTimeout: PATIENCE });
      const told = await run(over, request(server.port, 'POST'), recorder(kindOf(index)));
      isRight(told);
      if (told.error?.code === 'ETIMEDOUT') assert.fail('the code is undici’s');
      await until(() => activeCount(agent) === 0);
    });
  }
});
