/** Many requests at once that end in every way, at random moments: each has one end, and nothing is left. */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { poolingAgent, waitingCount } from '../support/agent.js';
import { byEffort } from '../support/effort.js';
import { Random } from '../support/random.js';
import { httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { dispatcher } from '../../src/undici/index.js';
import { KINDS, recorder } from './support.js';
import type { Controls, Hooks, Told } from './support.js';

const REQUESTS = byEffort(400);

/** Answers as the path says, but with its connection lost now and then. */
function answer(random: Random, req: IncomingMessage, res: ServerResponse): void {
  req.on('error', () => {}).resume();
  const fate = random.next();
  if (fate < 0.05) req.socket.destroy();
  else if (fate < 0.1) {
    res.write('x');
    setTimeout(() => req.socket.destroy(), random.between(0, 5));
  } else if (fate < 0.15) res.end('early');
  else {
    req.on('end', () => {
      res.write('some');
      setTimeout(() => res.end(), random.between(0, 5));
    });
  }
}

async function* slowly(random: Random): AsyncGenerator<unknown> {
  for (let i = random.between(0, 4); i > 0; i--) {
    yield 'x'.repeat(random.between(0, 20_000));
    await sleep(random.between(0, 3));
  }
  if (random.chance(0.1)) throw new Error('no more');
}

function hooksOf(random: Random): Hooks {
  const meddle = (controls: Controls): void => {
    const fate = random.next();
    if (fate < 0.03) controls.abort(new Error('enough'));
    else if (fate < 0.06) throw new Error('thrown');
    else if (fate < 0.5) {
      controls.pause();
      setTimeout(() => controls.resume(), random.between(0, 5));
    }
  };
  return {
    started: (controls) => {
      if (random.chance(0.02)) controls.abort();
      else if (random.chance(0.1))
        setTimeout(() => controls.abort(new Error('later')), random.between(0, 60));
    },
    headers: (_status, controls) => meddle(controls),
    data: (_chunk, controls) => meddle(controls),
  };
}

it('has one end for each request', { timeout: 120_000 }, async (t) => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);
  t.diagnostic(`SEED=${seed}`);
  const random = new Random(seed);
  const server = await httpsServer(t, (req, res) => answer(random, req, res));
  const agent = poolingAgent(t, { ca: server.ca, maxSockets: 8, maxQueueSize: 200 });
  const over = dispatcher(agent, { headersTimeout: 20_000, bodyTimeout: 20_000 });
  const all: Told[] = [];
  const open = new Set<Told>();
  for (let i = 0; i < REQUESTS; i++) {
    const told = recorder(random.pick(KINDS), hooksOf(random));
    all.push(told);
    open.add(told);
    void told.over.then(() => open.delete(told));
    const body = random.pick([undefined, 'text', 'stream', 'parts'] as const);
    over.dispatch(
      {
        origin: server.url,
        path: `/${i}`,
        method: body === undefined ? 'GET' : 'POST',
        ...(body === 'text' && { body: 'x'.repeat(random.between(1, 50_000)) }),
        ...(body === 'stream' && { body: Readable.from(slowly(random)) }),
        ...(body === 'parts' && { body: slowly(random) }),
      },
      told.handler,
    );
    if (random.chance(0.3)) await sleep(random.between(0, 5));
  }
  await until(() => open.size === 0);
  await over.close();
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  for (const { ends, events } of all) assert.equal(ends, 1, events.join(', '));
  assert.equal(waitingCount(agent), 0);
  await until(() => agent.totalSocketCount <= 8 && Object.keys(agent.sockets).length === 0);
});
