// The rooms of src/ that mutation testing visits, and the tests that have to notice what it breaks there: those of a room alone,
// quick ones first. Which sources and tests these are stands here and nowhere else in scripts/.

/**
 * @typedef {object} Room
 * @property {readonly string[]} sources files and folders below src/
 * @property {readonly string[]} tests files and folders below test/
 */

const below = (folder, ...names) => names.map((name) => `${folder}/${name}.ts`);
const testsBelow = (folder, ...names) => names.map((name) => `${folder}/${name}.test.ts`);

/** @type {Readonly<Record<string, Room>>} */
export const ROOMS = {
  pool: {
    sources: ['pool'],
    tests: testsBelow('pool', 'wait-queue', 'expiry-wheel', 'decisions', 'random-histories'),
  },
  limits: { sources: ['limits'], tests: testsBelow('limits', 'patterns', 'rules', 'queue') },
  sessions: { sources: ['sessions'], tests: ['sessions', ...testsBelow('contract', 'sessions')] },
  lifetimes: {
    sources: below(
      'liveness',
      'clock',
      'idle-policy',
      'keep-alive-hint',
      'learned-idle',
      'lifetimes',
      'reaper',
      'socket-age',
    ),
    tests: [
      ...testsBelow('liveness', 'keep-alive-header', 'idle-moments'),
      'agent/keep-alive-hint.test.ts',
      'liveness',
    ],
  },
  'hand-over': {
    sources: [...below('liveness', 'guard', 'record-ledger'), 'channel.ts', 'resting.ts', 'socket-events.ts'],
    tests: [
      ...testsBelow('liveness', 'record-ledger', 'validation'),
      'agent/poisoning.test.ts',
      'attack/hand-overs.test.ts',
      'contract/release.test.ts',
    ],
  },
  replay: {
    sources: below('liveness', 'replay', 'replayable', 'replays'),
    tests: testsBelow('liveness', 'replayable', 'replay-choices', 'replay'),
  },
  queue: {
    sources: ['queue-timer.ts', 'queued-request.ts'],
    tests: [...testsBelow('limits', 'queue-timer', 'queue'), ...testsBelow('agent', 'queue', 'abort')],
  },
  identity: {
    sources: below('tls', 'glance', 'identity', 'name', 'profile', 'server-name', 'value'),
    tests: ['tls/identity', 'contract/get-name.test.ts'],
  },
};
