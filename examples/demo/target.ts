/** Starts the demo's servers and says how to reach them. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { LookupFunction } from 'node:net';
import type { Ask, Counts, Ready } from './messages.js';

export interface Target {
  readonly port: number;
  readonly faultPort: number;
  readonly ca: string;
  /** Resolves every host to the loopback: not every system knows `*.localhost`. */
  readonly lookup: LookupFunction;
  readonly counts: () => Promise<Counts>;
  readonly close: () => void;
}

const lookup: LookupFunction = (_hostname, options, callback) => {
  process.nextTick(() => {
    if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  });
};

export async function startTarget(): Promise<Target> {
  const child = fork(new URL('./server.js', import.meta.url), { execArgv: [] });
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`the servers ended with code ${String(code)}`);
  });
  gone.catch(() => {});

  const next = async (): Promise<unknown> => {
    const [message] = await Promise.race([once(child, 'message'), gone]);
    return message;
  };
  const { port, faultPort, ca } = (await next()) as Ready;
  return {
    port,
    faultPort,
    ca,
    lookup,
    counts: async () => {
      const answer = next();
      child.send({ type: 'ask' } satisfies Ask);
      return (await answer) as Counts;
    },
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
}
