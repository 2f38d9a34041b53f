/** Name resolution for all contenders alike: every name is the loopback. The system's resolver is not measured. */
import type { LookupFunction } from 'node:net';

const ADDRESS = '127.0.0.1';
const FAMILY = 4;

export const lookup: LookupFunction = (_hostname, options, callback) => {
  process.nextTick(() => {
    if (options.all) callback(null, [{ address: ADDRESS, family: FAMILY }]);
    else callback(null, ADDRESS, FAMILY);
  });
};
