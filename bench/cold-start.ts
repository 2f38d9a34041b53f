/**
 * A process that begins with nothing: it loads one contender, sends requests, says what that took, and ends. It is started anew for each sample
 * of the case `cold`, and loads as little as a user's script would. Of this package it takes what is published, and not the sources.
 */
import type { Agent, AgentOptions } from 'node:https';

/** The orders of the process, as JSON, in its only argument. */
export interface ColdStart {
  readonly contender: ColdContender;
  /** None: the contender is loaded, and nothing else is done. */
  readonly requests: number;
  readonly concurrency: number;
  readonly port: number;
  readonly certificate: string;
}

export type ColdContender = 'core' | 'agentkeepalive' | 'ours';

type AgentClass = new (options: AgentOptions) => Agent;

const load: Record<ColdContender, () => Promise<AgentClass>> = {
  core: async () => (await import('node:https')).Agent,
  agentkeepalive: async () => (await import('agentkeepalive')).default.HttpsAgent as unknown as AgentClass,
  ours: async () => {
    // Not a name that the compiler follows: what is published need not be there yet when this is compiled.
    const name: string = 'pooling-https-agent';
    const { PoolingAgent } = (await import(name)) as { PoolingAgent: AgentClass };
    return PoolingAgent;
  },
};

/** Not `performance`, which Node would load for it. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

/** @returns the moment of the first response */
async function send(
  AgentClass: AgentClass,
  { requests, concurrency, port, certificate }: ColdStart,
): Promise<number> {
  const [{ request }, { lookup }] = await Promise.all([import('node:https'), import('./lookup.js')]);
  let first = 0;
  // Node's agents pass `lookup` on to `net.connect`; their typings do not say so.
  const agent = new AgentClass({ keepAlive: true, ca: certificate, ...{ lookup } });
  const get = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const req = request({ host: 'localhost', port, path: '/', agent }, (response) => {
        if (first === 0) first = now();
        response.resume();
        response.on('end', resolve);
        response.on('error', reject);
      });
      req.on('error', reject);
      req.end();
    });
  let sent = 0;
  const sendInTurn = async (): Promise<void> => {
    while (sent++ < requests) await get();
  };
  await Promise.all(Array.from({ length: concurrency }, sendInTurn));
  agent.destroy();
  return first;
}

const startedAt = now();
const before = process.cpuUsage();
const start = JSON.parse(process.argv[2] as string) as ColdStart;
const Loaded = await load[start.contender]();
const end = start.requests > 0 ? await send(Loaded, start) : now();
const { user, system } = process.cpuUsage(before);
const rss = process.memoryUsage.rss() / 2 ** 20;
process.stdout.write(JSON.stringify({ cpu: (user + system) / 1000, wall: end - startedAt, rss }));
