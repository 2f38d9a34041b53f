/** A process of its own for alone.test.ts: an inspector that nobody needs, and nothing else that goes on. */
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { PoolingAgent } from '../../src/index.js';
import { inspector } from '../../src/inspect/index.js';

/** Milliseconds: the least that there may be. */
const INTERVAL = 100;

/** The process lives until somebody looks, and is to end then though they go on. */
function serve(): void {
  const alive = setInterval(() => {}, 1000);
  const server = inspector([new PoolingAgent()], { interval: INTERVAL }).listen(0, () => {
    console.log((server.address() as AddressInfo).port);
  });
  server.on('request', ({ url = '' }: IncomingMessage) => {
    if (url.includes('events')) clearInterval(alive);
  });
}

/** An inspector that is not referenced any more is collected, although it would take another sample. */
async function forget(): Promise<void> {
  const lost = ((): WeakRef<object>[] => {
    const agent = new PoolingAgent();
    return [new WeakRef(agent), new WeakRef(inspector([agent], { interval: INTERVAL }))];
  })();
  for (let i = 0; i < 50 && lost.some((one) => one.deref()); i++) {
    await sleep(2 * INTERVAL);
    globalThis.gc?.();
  }
  console.log(lost.some((one) => one.deref()) ? 'still there' : 'gone');
}

if (process.argv[2] === 'serve') serve();
else await forget();
