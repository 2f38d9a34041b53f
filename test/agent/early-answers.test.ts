/**
 * Answers that are in the kernel before Node says that their request was sent: the request was written where the loop polls before it
 * hears of writes, in an immediate or a timer, and the server is fast. A caller sees 'finish' first all the same, and what comes behind
 * such an answer stays behind it.
 */
import assert from 'node:assert/strict';
import { request } from '../support/protocol.js';
import { after, describe, it } from 'node:test';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import type { PoolingAgent } from '../../src/index.js';
import { idleCount, poolingAgent } from '../support/agent.js';
import { block } from '../support/block.js';
import { threadedFaultServer } from '../support/fault-server/index.js';
import { tagOf } from '../support/fault-server/responses.js';
import { nextUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };
const server = await threadedFaultServer({ after }, { seed: 1 });

interface Seen {
  /** In this order. */
  readonly events: string[];
  body: string;
  tag: string | undefined;
}

interface Shot {
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly body?: string;
  readonly onEnd?: () => void;
}

let count = 0;

/** A request whose answer is there before the loop polls again. */
async function ask(
  agent: PoolingAgent,
  { body, onEnd, ...options }: Shot = {},
): Promise<Seen & { id: string }> {
  const id = `early-${count++}`;
  const seen: Seen = { events: [], body: '', tag: undefined };
  const req = request({ port: server.port, path: `/${id}`, agent, ...options });
  // The first listener for 'socket' is that of Node's client, which sends the request.
  req.on('socket', () => block(15));
  for (const event of ['finish', 'error', 'close']) req.on(event, () => void seen.events.push(event));
  req.on('response', (res) => {
    seen.events.push('response');
    res.setEncoding('latin1').on('data', (text: string) => (seen.body += text));
    res.on('end', () => {
      seen.events.push('end');
      seen.tag = tagOf({ headers: res.headers, body: seen.body, whole: true });
      onEnd?.();
      if (onEnd) req.destroy();
    });
  });
  req.end(body);
  await until(() => seen.events.includes('close'));
  return { ...seen, id };
}

/** An agent with one connection, which has served before. */
async function warmAgent(t: Parameters<typeof poolingAgent>[0]): Promise<PoolingAgent> {
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 1 });
  for (let i = 0; i < 3; i++) await ask(agent);
  await until(() => idleCount(agent) === 1);
  return agent;
}

const MOMENTS: Record<string, () => Promise<unknown>> = {
  'an immediate': () => immediate(),
  'a timer': () => sleep(3),
  'a microtask of the main program': async () => {},
};

for (const [moment, come] of Object.entries(MOMENTS)) {
  describe(`the answer to a request that is sent in ${moment}`, () => {
    it(
      "comes after 'finish', and a caller that ends the request then leaves the connection",
      LIMIT,
      async (t) => {
        const agent = await warmAgent(t);
        const sockets = new Set(Object.values(agent.freeSockets).flat());
        for (const shot of [{}, { method: 'POST', body: 'x'.repeat(1000) }]) {
          await come();
          const { events, id, tag } = await ask(agent, { ...shot, onEnd() {} });
          assert.deepEqual(events, ['finish', 'response', 'end', 'close']);
          assert.equal(tag, id);
          await until(() => idleCount(agent) === 1);
          for (const socket of Object.values(agent.freeSockets).flat()) sockets.add(socket);
        }
        assert.equal(sockets.size, 1);
      },
    );

    it('is whole if much comes before it', LIMIT, async (t) => {
      const agent = await warmAgent(t);
      await come();
      const { events, id, tag } = await ask(agent, { headers: { 'x-fault': 'informational' } });
      assert.deepEqual(events, ['finish', 'response', 'end', 'close']);
      assert.equal(tag, id);
    });

    for (const fault of ['end-after', 'close-after', 'no-length', 'twice-next-write']) {
      it(`is whole whatever comes after it: ${fault}`, LIMIT, async (t) => {
        const agent = await warmAgent(t);
        await come();
        const { events, id, tag } = await ask(agent, { headers: { 'x-fault': fault } });
        assert.deepEqual(events, ['finish', 'response', 'end', 'close']);
        assert.equal(tag, id);
        await until(() => agent.totalSocketCount === 0);
        const next = await ask(agent);
        assert.equal(next.tag, next.id);
      });
    }
  });
}

it('an exception of a response listener leaves the rest of the answer in place', LIMIT, async (t) => {
  const agent = await warmAgent(t);
  const thrown = nextUncaught(t);
  await immediate();
  const req = request({ port: server.port, agent, headers: { 'x-fault': 'twice-next-write' } });
  req.on('socket', () => block(15));
  // The error of the second answer, which Node's client does not expect.
  req.on('error', () => {});
  req.on('response', (res) => {
    res.resume();
    throw new Error('made up');
  });
  req.end();
  assert.match(String(await thrown), /made up/);
  await until(() => agent.totalSocketCount === 0);
  const next = await ask(agent);
  assert.equal(next.tag, next.id);
});
