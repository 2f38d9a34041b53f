/**
 * Connections that change hands while foreign code runs, or while the event loop is busy: no stray response reaches anybody, and
 * nothing is kept that should not be.
 */
import assert from 'node:assert/strict';
import type { RequestOptions } from 'node:https';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pendingRead } from '../../src/node/handle.js';
import { activeCount, idleCount, poolingAgent } from '../support/agent.js';
import { block } from '../support/block.js';
import { threadedFaultServer } from '../support/fault-server/index.js';
import { PoolingAgent, request, TLS_ONLY } from '../support/protocol.js';
import { get, httpsServer } from '../support/server.js';
import { TaggedClient } from '../support/tagged-client.js';
import type { Outcome } from '../support/tagged-client.js';
import { nextUncaught } from '../support/uncaught.js';
import { until } from '../support/until.js';

const LIMIT = { timeout: 120_000 };
const server = await threadedFaultServer({ after }, { seed: 1 });

interface Reader {
  /** The request is sent. */
  readonly onSocket?: () => void;
  readonly onData?: () => void;
  readonly onEnd?: () => void;
}

function ask(options: RequestOptions, { onSocket, onData, onEnd }: Reader = {}): Promise<void> {
  return new Promise((resolve, reject) => {
    const req = request({ port: server.port, ...options }, (res) => {
      res.on('data', () => onData?.());
      res.on('end', () => {
        onEnd?.();
        resolve();
      });
      res.on('error', reject);
    });
    req.on('socket', () => onSocket?.());
    req.on('error', reject).end();
  });
}

/**
 * Two responses are found in one poll of the loop. The reader of the first one computes, in which time its server sends another that nobody
 * has asked for; who reads the second one then makes a request.
 */
for (const which of ['is read first', 'has been idle since before']) {
  test(`a stray response on a connection that ${which}, while the loop is busy`, LIMIT, async (t) => {
    for (let round = 0; round < 5; round++) {
      const scheduling = which === 'is read first' ? 'lifo' : 'fifo';
      const agent = poolingAgent(t, { ca: server.ca, maxSockets: 3, scheduling });
      const client = new TaggedClient(agent, `busy-${scheduling}-${round}-`);
      const send = () => client.send({ server, patience: 20_000 });
      // So that it is known of each connection what has been delivered.
      for (let i = 0; i < 4; i++) await Promise.all([send(), send(), send()]);
      await sleep(5);
      const before = server.idleFaults();
      let victim: Promise<Outcome> | undefined;
      let isFirst = true;
      let strays = 0;
      const onSocket = () => strays++;
      const reader: Reader = {
        onData: () => void (isFirst || (victim ??= send())),
        onEnd() {
          if (!isFirst) return;
          isFirst = false;
          // On a busy machine the other one may not have been sent yet.
          block(10, () => server.idleFaults() >= before + strays);
        },
      };
      const stray = { agent, headers: { 'x-idle': 'stray 40' } };
      const asked = [];
      if (scheduling === 'lifo') asked.push(...[1, 2].map(() => ask(stray, { ...reader, onSocket })));
      else {
        await ask(stray, { onSocket });
        // Its connection is for none of those that are waited for; on a busy machine the stray response may have ended it by now.
        await until(() => activeCount(agent) === 0);
        asked.push(ask({ agent }, reader), ask({ agent }, reader));
      }
      await sleep(0);
      // Both are answered when the loop polls next.
      block(20);
      await Promise.all(asked);
      assert.equal(await victim, 'answered');
    }
  });
}

test(
  'a request that is made when its connection becomes idle is not answered by a stray response',
  LIMIT,
  async (t) => {
    let victim: Promise<Outcome> | undefined;
    let isArmed = false;
    class Asking extends PoolingAgent {
      override keepSocketAlive(...args: Parameters<PoolingAgent['keepSocketAlive']>): boolean {
        const isKept = super.keepSocketAlive(...args);
        if (isArmed) victim ??= send();
        return isKept;
      }
    }
    const agent = new Asking({ ca: server.ca, maxSockets: 1 });
    t.after(() => agent.destroy());
    const client = new TaggedClient(agent, 'idle-');
    const send = () => client.send({ server, patience: 20_000 });
    for (let i = 0; i < 4; i++) await send();
    await sleep(5);
    isArmed = true;
    const before = server.idleFaults();
    const onEnd = () => block(10, () => server.idleFaults() > before);
    await ask({ agent, headers: { 'x-idle': 'stray 20' } }, { onEnd });
    await until(() => victim !== undefined || agent.totalSocketCount === 0);
    assert.equal((await victim) ?? 'answered', 'answered');
  },
);

test(
  'a connection that becomes idle while updateTls is called is not kept',
  { ...LIMIT, ...TLS_ONLY },
  async (t) => {
    const plain = await httpsServer(t);
    let calls = 0;
    class Updating extends PoolingAgent {
      override keepSocketAlive(...args: Parameters<PoolingAgent['keepSocketAlive']>): boolean {
        if (calls++ === 3) this.updateTls({});
        return super.keepSocketAlive(...args);
      }
    }
    const agent = new Updating({ ca: plain.ca, idleTimeout: Infinity });
    t.after(() => agent.destroy());
    for (let i = 1; i <= 4; i++) {
      await get(plain, { agent });
      await until(() => calls === i);
    }
    await until(() => agent.totalSocketCount === 0);
  },
);

test('a response that is read slowly does not keep others from expiring', LIMIT, async (t) => {
  const plain = await httpsServer(t);
  const agent = poolingAgent(t, {
    ca: plain.ca,
    hosts: { localhost: { idleTimeout: 1900 }, '127.0.0.1': { idleTimeout: 200 } },
  });
  // The server's time runs from when it has answered: nothing is left of it when the response is read at last.
  const options = { agent, port: plain.port, rejectUnauthorized: false };
  for (let i = 0; i < 3; i++) await ask(options);
  await new Promise<void>((resolve) => {
    request({ ...options, path: '/slow' }, (res) =>
      setTimeout(() => res.resume().on('end', resolve), 2000),
    ).end();
  });
  await ask({ ...options, host: '127.0.0.1' });
  // Before a timer that ends later, on a busy machine too. It was as long as the first one may be idle.
  let isLate = false;
  setTimeout(() => (isLate = true), 1500).unref();
  await until(() => isLate || agent.totalSocketCount === 0);
  assert.equal(idleCount(agent), 0);
});

test(
  'an agent option that is undefined hides what a request says, whichever was undefined before',
  { ...LIMIT, ...TLS_ONLY },
  async (t) => {
    const plain = await httpsServer(t);
    const agent = poolingAgent(t);
    const options = { agent, port: plain.port, rejectUnauthorized: false };
    Reflect.set(agent.options, 'cert', undefined);
    await ask(options);
    Reflect.deleteProperty(agent.options, 'cert');
    Reflect.set(agent.options, 'rejectUnauthorized', undefined);
    await assert.rejects(ask(options), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  },
);

test('foreign code that throws at the end of a turn does not hold up others', LIMIT, async (t) => {
  // Nodes that can ask the system validate none of these connections.
  t.after(pendingRead.switchOff());
  const plain = await httpsServer(t);
  const agent = poolingAgent(t, { ca: plain.ca, maxSockets: 3 });
  for (let i = 0; i < 4; i++) await Promise.all([1, 2, 3].map(() => get(plain, { agent })));
  const thrown = nextUncaught(t);
  // All three are validated before they are used again.
  block(10);
  const req = request({ agent, port: plain.port });
  req.on('error', () => {});
  const error = new Error('foreign');
  req.onSocket = () => {
    throw error;
  };
  req.end();
  await Promise.all([get(plain, { agent }), get(plain, { agent })]);
  assert.equal(await thrown, error);
  req.destroy();
});
