/** The demo's command line. An unknown argument is an error with Node's code, before anything is started. */
import { parseArgs } from 'node:util';

export interface Arguments {
  readonly help: boolean;
  /** Serve the live page meanwhile. */
  readonly inspect: boolean;
}

export const USAGE = `Usage: npm run demo -- [options]

  --inspect  also serve the live page of the pools, for as long as the demo runs
  --help     this text`;

export function parseArguments(args: readonly string[]): Arguments {
  const { values } = parseArgs({
    args: [...args],
    options: { help: { type: 'boolean' }, inspect: { type: 'boolean' } },
  });
  return { help: false, inspect: false, ...values };
}
