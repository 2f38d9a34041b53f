/** Name resolution for all contenders alike: every name is the loopback. The system's resolver is not measured. */
import type { LookupFunction } from 'node:net';

const ADDRESS = '127.0.0.1';
const FAMILY = 4;

let lookUps = 0;

/** Look-ups of this process so far: one for each connection that is begun. */
export function countLookUps(): number {
  return lookUps;
}

export const lookup: LookupFunction = (_hostname, options, callback) => {
  lookUps++;
  process.nextTick(() => {
    if (options.all) callback(null, [{ address: ADDRESS, family: FAMILY }]);
    else callback(null, ADDRESS, FAMILY);
  });
};
