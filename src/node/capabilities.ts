/** All assumptions about Node behind its public API, each with its own test: see capability.ts. Each is defined where it is used. */
import { contextReset } from './async-context.js';
import { knownConnectFunctions } from './connect-functions.js';
import { knownAddRequest } from './interception.js';
import type { Capability } from './capability.js';
import { detaching, resending } from './client-request.js';
import { destroyReason, headMark, parserMark } from './exchange.js';
import { pendingRead, wireCounter } from './handle.js';
import { parserState } from './parsing.js';
import { pollCount } from './poll-count.js';
import { headersByName } from './request-headers.js';
import { waitingTimeout } from './request-timeout.js';
import { byteCounter, socketTimer, writableState } from './socket.js';
import { behindFakes } from './timers.js';
import { writeNotes } from './written-output.js';

export const CAPABILITIES: readonly Capability[] = [
  ...knownConnectFunctions,
  behindFakes,
  byteCounter,
  contextReset,
  destroyReason,
  detaching,
  headersByName,
  headMark,
  knownAddRequest,
  parserMark,
  parserState,
  pendingRead,
  pollCount,
  resending,
  socketTimer,
  waitingTimeout,
  wireCounter,
  writableState,
  writeNotes,
];
