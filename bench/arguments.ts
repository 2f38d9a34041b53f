/** The command line. */
import { parseArgs } from 'node:util';
import { CASES } from './cases/index.js';
import type { CaseName } from './cases/index.js';
import { ConfigurationError } from './configuration-error.js';
import { CONTENDERS } from './contenders/index.js';
import type { ContenderName } from './contenders/index.js';

export interface Arguments {
  readonly help: boolean;
  readonly cases: readonly CaseName[];
  /** Empty: the contenders that a case usually has. */
  readonly only: readonly ContenderName[];
  readonly rounds: number | undefined;
  readonly quick: boolean;
  readonly hosts: number;
  readonly json: string | undefined;
  readonly profiles: string | undefined;
}

export const USAGE: string = `Usage: npm run bench -- [options]

  --case NAME       run only this case; repeatable: ${CASES.join(', ')}
  --only CONTENDER  only with this contender; repeatable: ${CONTENDERS.join(', ')}
  --rounds N        rounds of each case, each with new processes (default: the case's own number)
  --quick           less of everything: to see that it works, not to judge by
  --hosts N         hosts in the case "hosts" (default: 9000, quick: 500)
  --json FILE       also write the results there
  --profile DIR     also write CPU profiles of the clients there (slows them down)
  --help            this text`;

export function parseArguments(args: readonly string[]): Arguments {
  const values = parse(args);
  const quick = values.quick ?? false;
  return {
    help: values.help ?? false,
    cases: values.case ? oneOfEach('--case', values.case, CASES) : CASES,
    only: oneOfEach('--only', values.only ?? [], CONTENDERS),
    rounds: values.rounds === undefined ? undefined : count('--rounds', values.rounds),
    quick,
    hosts: values.hosts === undefined ? (quick ? 500 : 9000) : count('--hosts', values.hosts),
    json: values.json,
    profiles: values.profile,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        case: { type: 'string', multiple: true },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        quick: { type: 'boolean' },
        hosts: { type: 'string' },
        json: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new ConfigurationError(error instanceof Error ? error.message : String(error));
  }
}

function oneOfEach<T extends string>(option: string, given: readonly string[], known: readonly T[]): T[] {
  for (const name of given) {
    if (!known.some((candidate) => candidate === name)) {
      throw new ConfigurationError(
        `${option} ${name}: there is no such thing; known are ${known.join(', ')}`,
      );
    }
  }
  return known.filter((name) => given.includes(name));
}

function count(option: string, given: string): number {
  const value = Number(given);
  if (!Number.isInteger(value) || value < 1) {
    throw new ConfigurationError(`${option} ${given}: must be a whole number, at least 1`);
  }
  return value;
}
