/** Node's `fetch` over the `Agent` that comes with it: that is a class which Node shows only by the global dispatcher. */
import type { Agent } from 'undici';
import type { Contender } from './contender.js';
import { fetchClient, lastOnes } from './fetch-client.js';
import { undiciOptions } from './undici-options.js';

/** The newer place first: in the other one there may be a wrapper. */
const GLOBALS = [2, 1].map((version) => Symbol.for(`undici.globalDispatcher.${version}`));

async function agentOfNode(): Promise<typeof Agent> {
  await fetch('data:,').then((response) => response.text());
  const dispatcher = GLOBALS.map((key) => Reflect.get(globalThis, key) as Agent | undefined).find(Boolean);
  if (!dispatcher) throw new Error('Node shows no dispatcher');
  return dispatcher.constructor as typeof Agent;
}

const NodesAgent = await agentOfNode();

export const contender: Contender = {
  create(settings) {
    const dispatcher = new NodesAgent(undiciOptions(settings));
    return fetchClient(lastOnes(dispatcher, settings), settings, () => void dispatcher.destroy());
  },
};
