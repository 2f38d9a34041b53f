/** The last sentence of the demo, whether the result is good or bad. */
import type { Name, Results } from './contest.js';
import { ratioOf } from './figures.js';
import { figure } from './layout.js';
import type { phases } from './phases.js';

export type AllResults = Readonly<Record<(typeof phases)[number]['name'], Results>>;

const OTHERS: readonly Name[] = ['https.Agent', 'agentkeepalive'];

/** Requests of PoolingAgent that were lost, in all phases. */
export function lostByUs(all: AllResults): number {
  return Object.values(all).reduce((total, results) => total + results.PoolingAgent.outcomes.lost, 0);
}

function others(count: (name: Name) => string): string {
  return OTHERS.map((name) => `${name}: ${count(name)}`).join(', ');
}

export function conclusion(all: AllResults): string {
  const times = (phase: keyof AllResults): string =>
    `${figure(ratioOf(all[phase], 'PoolingAgent'), 2)} times`;
  const closing = (name: Name): string => {
    const { failed, total } = all['Servers that close idle connections'][name].outcomes;
    return `${figure(failed)} of ${figure(total)}`;
  };
  const surplus = (name: Name): string => {
    const { astray, total } = all['Servers that send surplus bytes'][name].outcomes;
    return `${figure(astray)} of ${figure(total)}`;
  };
  const lost = lostByUs(all);
  return (
    `In this run PoolingAgent answered ${times('Warm, one CA')} as many requests a second as https.Agent when warm with one CA, ` +
    `${times('Warm, 150 CAs')} as many with 150 CAs, ${times('Cold burst')} as many in cold bursts and ${times('Queue behind a limit')} as many behind a limit; ` +
    `with servers that closed idle connections, ${closing('PoolingAgent')} requests failed (${others(closing)}); ` +
    `with servers that sent surplus bytes, ${surplus('PoolingAgent')} requests got a wrong answer (${others(surplus)}); ` +
    `and of all its requests it lost ${lost === 0 ? 'none' : figure(lost)}.`
  );
}
