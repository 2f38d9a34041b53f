/**
 * The errors and wrong answers that callers get of servers that close idle connections, and of servers that send too much.
 *
 * Each connection is idle for 20 to 200 ms and closed by the server then; the next request comes in that very moment, a few
 * milliseconds earlier or later. A hundred clients, each with a host and so a connection of its own, do that at once. The hint of 5 s is one that the server does not keep: there is something between that closes sooner.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../test/support/random.js';
import { hostName } from '../certificate.js';
import type { Client, Outgoing } from '../contenders/contender.js';
import { summarize } from '../statistics.js';
import { valuesAt } from '../results.js';
import { atMost } from '../verdict.js';
import type { Sample } from '../results.js';
import { createClient } from './case.js';
import type { Case, Scale, Setting } from './case.js';

interface IdleSetting extends Setting {
  readonly kind: 'idle';
  readonly method: 'GET' | 'POST';
  readonly closing: 'fin' | 'rst';
  readonly hint: string | undefined;
  readonly requests: number;
}

interface ClosingSetting extends Setting {
  readonly kind: 'closing';
  readonly requests: number;
}

interface SurplusSetting extends Setting {
  readonly kind: 'surplus';
  readonly requests: number;
}

type ReliabilitySetting = IdleSetting | ClosingSetting | SurplusSetting;

const LANES = 100;
const CLOSING_LANES = 10;
const HINTS = [undefined, 'timeout=5'];
const BODY = '{"id":1}';

/** Few sockets, so that most requests get a connection at the moment at which it becomes free. */
const SOCKETS = 10;
const WAITING = 30;

function idleSetting(
  method: IdleSetting['method'],
  closing: IdleSetting['closing'],
  hint: string | undefined,
  requests: number,
): IdleSetting {
  const how = `${closing.toUpperCase()}, ${hint === undefined ? 'no hint' : `hint ${hint}`}`;
  const name = `${requests.toLocaleString('en')} ${method}s, closed by ${how}`;
  return { kind: 'idle', name, method, closing, hint, requests };
}

function settings({ quick }: Scale): ReliabilitySetting[] {
  const requests = { GET: quick ? 1000 : 10_000, POST: quick ? 500 : 2000 };
  const idle = (['GET', 'POST'] as const).flatMap((method) =>
    (['fin', 'rst'] as const).flatMap((closing) =>
      HINTS.map((hint) => idleSetting(method, closing, hint, requests[method])),
    ),
  );
  const many = quick ? 5000 : 100_000;
  const name = `${many.toLocaleString('en')} GETs, one response in ten followed by another`;
  const closing = `${requests.POST.toLocaleString('en')} POSTs, answers and closes`;
  return [
    ...idle,
    { kind: 'closing', name: closing, requests: requests.POST },
    { kind: 'surplus', name, requests: many },
  ];
}

class Tally {
  errors = 0;
  reused = 0;
  astray = 0;
  answered = 0;

  async send(client: Client, request: Outgoing): Promise<void> {
    if (!client.send) throw new Error('This case is for agents');
    try {
      const { headers, reused } = await client.send(request);
      this.answered++;
      if (reused) this.reused++;
      if (headers['x-tag'] !== request.path.slice(1)) this.astray++;
    } catch {
      this.errors++;
    }
  }

  get sample(): Sample {
    return { errors: this.errors, astray: this.astray, reused: (100 * this.reused) / this.answered };
  }
}

async function idleRun(client: Client, { method, closing, hint, requests }: IdleSetting): Promise<Tally> {
  const tally = new Tally();
  const lane = async (number: number): Promise<void> => {
    const random = Random.for(1, `lane ${number}`);
    for (let i = 0; i < requests / LANES; i++) {
      const idle = random.between(20, 200);
      await tally.send(client, {
        host: hostName(number),
        method,
        path: `/${process.pid}-${method}-${closing}-${hint}-${number}-${i}`,
        headers: { 'x-idle': `${closing} ${idle}`, ...(hint !== undefined && { 'x-hint': hint }) },
        ...(method === 'POST' && { body: BODY }),
      });
      await sleep(idle + random.between(-5, 1));
    }
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  return tally;
}

/** Clients that send one POST after the other, to servers that answer and close, and do not say so. */
async function closingRun(client: Client, { requests }: ClosingSetting): Promise<Tally> {
  const tally = new Tally();
  const lane = async (number: number): Promise<void> => {
    for (let i = 0; i < requests / CLOSING_LANES; i++) {
      await tally.send(client, {
        host: hostName(number),
        method: 'POST',
        path: `/${process.pid}-closing-${number}-${i}`,
        headers: { 'x-idle': 'fin 0' },
        body: BODY,
      });
    }
  };
  await Promise.all(Array.from({ length: CLOSING_LANES }, (_, number) => lane(number)));
  return tally;
}

async function surplusRun(client: Client, { requests }: SurplusSetting): Promise<Tally> {
  const tally = new Tally();
  const random = new Random(1);
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < requests) {
      const fault = random.oneOf({ 'twice-same-record': 0.05, 'twice-next-record': 0.05 });
      await tally.send(client, {
        host: 'localhost',
        method: 'GET',
        path: `/${process.pid}-surplus-${sent++}`,
        headers: fault === undefined ? {} : { 'x-fault': fault },
      });
    }
  };
  await Promise.all(Array.from({ length: SOCKETS + WAITING }, lane));
  return tally;
}

function run(client: Client, setting: ReliabilitySetting): Promise<Tally> {
  if (setting.kind === 'idle') return idleRun(client, setting);
  return setting.kind === 'closing' ? closingRun(client, setting) : surplusRun(client, setting);
}

export const reliability: Case<ReliabilitySetting> = {
  name: 'reliability',
  about: 'servers that close idle connections just when a request comes, or send too much',
  contenders: ['core', 'agentkeepalive', 'ours'],
  metrics: [
    { key: 'errors', title: 'errors surfaced', digits: 0 },
    { key: 'astray', title: 'responses astray', digits: 0 },
    { key: 'repeated', title: 'received again', digits: 0 },
    { key: 'reused', title: 'on a used connection %', digits: 0 },
    { key: 'connections', title: 'connections', digits: 0 },
  ],
  limit: 180_000,

  effort: () => ({ rounds: 1, samples: 1 }),

  settings,

  prepare(contender, setting, target) {
    const client = createClient(contender, target, [target.certificate], {
      port: target.faultPort,
      ...(setting.kind === 'surplus' && { maxSockets: SOCKETS }),
    });
    return {
      async sample() {
        return (await run(client, setting)).sample;
      },
      close: () => client.close(),
    };
  },

  verdicts(result) {
    return result.settings.flatMap(({ setting }) => {
      const at = (metric: string) => summarize(valuesAt(result, { setting, contender: 'ours', metric }));
      return [
        ...(setting.includes('GETs, closed') ? atMost(0, `${setting}: no error`, at('errors'), 0) : []),
        ...(setting.includes('POSTs') ? atMost(0, `${setting}: none sent twice`, at('repeated'), 0) : []),
        ...atMost(0, `${setting}: none astray`, at('astray'), 0),
      ];
    });
  },
};
