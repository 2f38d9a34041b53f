// The rooms of src/ that mutation testing visits, and the tests that have to notice what it breaks there: those of a room alone,
// quick ones first. These sources and tests are listed here and nowhere else in scripts/.

/**
 * @typedef {object} Room
 * @property {readonly string[]} sources files and folders below src/
 * @property {readonly string[]} tests files and folders below test/
 * @property {number} [patience] milliseconds that they may take longer than without a mutant, if not as long as most
 */

const below = (folder, ...names) => names.map((name) => `${folder}/${name}.ts`);
const testsBelow = (folder, ...names) => names.map((name) => `${folder}/${name}.test.ts`);

/** @type {Readonly<Record<string, Room>>} */
export const ROOMS = {
  pool: {
    sources: ['pool'],
    tests: testsBelow(
      'pool',
      'heap',
      'fairness',
      'gateway',
      'admission',
      'assignment',
      'leasing',
      'scheduling',
      'limit-changes',
      'upkeep',
      'ageing',
      'spares',
      'shutdown',
      'wait-queue',
      'expiry-wheel',
      'preparing',
      'decisions',
      'random-histories',
    ),
    patience: 4000,
  },
  lifecycle: { sources: ['lifecycle'], tests: ['lifecycle'] },
  limits: {
    sources: ['limits'],
    tests: testsBelow('limits', 'patterns', 'rules', 'saturation', 'rollback', 'queue'),
  },
  'session-cache': {
    sources: below('sessions', 'seal', 'session-cache', 'session-export', 'session-info', 'tickets'),
    tests: testsBelow('sessions', 'tickets', 'session-cache', 'session-info', 'seal-fuzz', 'export'),
    patience: 4000,
  },
  sessions: {
    sources: below('sessions', 'resumption', 'key-terms', 'session-key'),
    tests: ['sessions/session-key.test.ts', 'sessions', ...testsBelow('contract', 'sessions')],
  },
  lifetimes: {
    sources: ['lifetimes'],
    tests: [
      ...testsBelow('lifetimes', 'lifetimes', 'clock', 'idle-policy', 'keep-alive-header', 'idle-moments'),
      'agent/keep-alive-hint.test.ts',
      'lifetimes',
    ],
  },
  'hand-over': {
    sources: below(
      'connections',
      'guard',
      'hand-over',
      'idle-entry',
      'pooled-socket',
      'record-ledger',
      'socket-events',
    ),
    tests: [
      ...testsBelow('connections', 'hand-over', 'record-ledger', 'validation'),
      'agent/poisoning.test.ts',
      'hostile-callers/hand-overs.test.ts',
      'contract/release.test.ts',
    ],
  },
  replay: {
    sources: [
      'connections/losses/replay.ts',
      'connections/losses/resend.ts',
      'node/client-request.ts',
      'requests/replayable.ts',
    ],
    tests: ['requests/replayable.test.ts', ...testsBelow('connections/losses', 'replay-choices', 'replay')],
  },
  'queue-timer': {
    sources: below('requests', 'queue-timer'),
    tests: testsBelow('requests', 'queue-timer-alone', 'queue-timer'),
    patience: 4000,
  },
  queue: {
    sources: below('requests', 'pending-request'),
    tests: [
      'limits/queue.test.ts',
      ...testsBelow('agent', 'queue', 'abort'),
      'hostile-callers/waiting-timeouts.test.ts',
      'core-defects/queue.test.ts',
      'contract/lenient-options.test.ts',
    ],
  },
  identity: {
    sources: ['identity'],
    // Those over real connections (wire) and the fuzz take too long for each mutant.
    tests: [
      ...testsBelow('tls/identity', 'values', 'secret-texts'),
      'contract/get-name.test.ts',
      ...testsBelow('tls/identity', 'dial', 'dropped', 'by-hand', 'table', 'name', 'host-part', 'closures'),
    ],
  },
  'poll-count': { sources: below('node', 'poll-count'), tests: testsBelow('node', 'poll-count') },
  undici: { sources: ['undici'], tests: ['undici'], patience: 8000 },
};
