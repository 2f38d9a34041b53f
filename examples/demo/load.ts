/** Sends a number of requests over an agent, and measures each. The same code for every agent. */
import { request } from 'node:https';
import type { Agent, RequestOptions } from 'node:https';
import type { Target } from './target.js';

export interface Load {
  readonly requests: number;
  /** Requests under way at a time, queued ones included. */
  readonly concurrency: number;
  /** How long the server thinks about each, in milliseconds. */
  readonly delay: number;
}

export interface Sample {
  /** Milliseconds from the call of `request()` to the end of the body, of each request with the right answer. */
  readonly latencies: readonly number[];
  /** Those of the requests that ended with an error. */
  readonly errors: readonly unknown[];
  /** Requests that ended with neither an answer nor an error, or with an answer that was meant for another. */
  readonly lost: number;
  /** Milliseconds from the first request to the end of the last. */
  readonly elapsed: number;
  /** CPU time of this process, user and system, in microseconds. */
  readonly cpu: number;
}

/** When no request has ended for so long, in milliseconds, those still under way are lost. */
const PATIENCE = 5000;

let tag = 0;

export async function drive(agent: Agent, target: Target, load: Load, tick: () => void): Promise<Sample> {
  const latencies: number[] = [];
  let sent = 0;
  let ended = 0;
  const errors: unknown[] = [];
  let misled = 0;

  // Each keeps to one host, so that as many requests are under way for every host.
  const work = async (_: unknown, index: number): Promise<void> => {
    const host = target.hosts[index % target.hosts.length];
    while (sent < load.requests) {
      sent++;
      const path = `/${tag++}`;
      const headers = { 'x-delay': load.delay };
      const begun = performance.now();
      try {
        const body = await exchange({ agent, host, port: target.port, path, headers });
        if (body === `${host} ${path}`) latencies.push(performance.now() - begun);
        else misled++;
      } catch (error) {
        errors.push(error);
      }
      ended++;
      tick();
    }
  };

  const cpu = process.cpuUsage();
  const started = performance.now();
  const workers = Array.from({ length: Math.min(load.concurrency, load.requests) }, work);
  await untilStalled(Promise.all(workers), () => ended);
  const elapsed = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { latencies, errors, lost: misled + load.requests - ended, elapsed, cpu: user + system };
}

function exchange(options: RequestOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const req = request(options, (res) => {
      let body = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => (body += chunk));
      res.on('end', () => resolve(body));
      res.on('error', reject);
    });
    req.on('error', reject);
    req.end();
  });
}

/** Waits for `work`, but not longer than it makes progress. */
async function untilStalled(work: Promise<unknown>, progress: () => number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let before = -1;
  const stalled = new Promise<void>((resolve) => {
    timer = setInterval(() => {
      if (progress() === before) resolve();
      before = progress();
    }, PATIENCE);
  });
  await Promise.race([work, stalled]);
  clearInterval(timer);
}
