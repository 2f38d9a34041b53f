/** The header `Keep-Alive`, at random: its parameters are found wherever they stand, and nothing else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from '../support/fast-check.js';
import { keepAliveHeader, parseKeepAlive } from '../../src/lifetimes/keep-alive-hint.js';

const space = fc.constantFrom('', ' ', '  ', '\t');
const count = fc.nat({ max: 100_000 });
const spelling = (name: string): fc.Arbitrary<string> =>
  fc.constantFrom(name, name.toUpperCase(), (name[0] ?? '').toUpperCase() + name.slice(1));

/** A parameter as a server may write it. */
const written = (name: string, value: number): fc.Arbitrary<string> =>
  fc
    .tuple(spelling(name), space, space, fc.boolean())
    .map(([word, before, after, quoted]) => `${word}${before}=${after}${quoted ? `"${value}"` : value}`);

/** Text beside the parameters that looks a little like them. */
const other = fc.constantFrom(
  'x=1',
  'mytimeout=9',
  'timeouts=9',
  'maximum=9',
  'max',
  'timeout',
  'q="timeout"',
  'climax=9',
  'timeout-max=9',
  '',
);

const header = fc
  .record({ timeout: fc.option(count, { nil: undefined }), max: fc.option(count, { nil: undefined }) })
  .chain(({ timeout, max }) => {
    const own = [
      ...(timeout === undefined ? [] : [written('timeout', timeout)]),
      ...(max === undefined ? [] : [written('max', max)]),
    ];
    return fc
      .tuple(
        fc.tuple(...own),
        fc.array(other, { maxLength: 3 }),
        fc.nat(),
        fc.constantFrom(',', ', ', ' ,', '; '),
      )
      .map(([parameters, others, seed, separator]) => {
        const parts: string[] = [...others];
        for (const [i, parameter] of parameters.entries())
          parts.splice((seed >> i) % (parts.length + 1), 0, parameter);
        return { text: parts.join(separator), timeout, max };
      });
  });

test('timeout and max are read wherever they stand, and nothing that looks like them', () => {
  fc.assert(
    fc.property(header, ({ text, timeout, max }) => {
      assert.deepEqual(parseKeepAlive(text), { timeout, max }, text);
    }),
    { numRuns: 1000 },
  );
});

test('any header gives counts or nothing', () => {
  const piece = fc.constantFrom(
    'timeout',
    'max',
    '=',
    ',',
    ';',
    '"',
    ' ',
    '5',
    '-',
    '.',
    '9'.repeat(400),
    '\0',
    'ä',
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      ),
      (text) => {
        for (const value of Object.values(parseKeepAlive(text))) {
          // So many digits are more than a number holds: for ever.
          assert.ok(
            value === undefined || Number.isInteger(value) || value === Infinity,
            `${text}: ${value}`,
          );
          assert.ok(value === undefined || value >= 0);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('a long header takes no long time', () => {
  for (const text of [
    ' '.repeat(100_000),
    ','.repeat(100_000),
    `timeout${' '.repeat(100_000)}`,
    ', '.repeat(50_000),
  ]) {
    const start = process.cpuUsage();
    parseKeepAlive(text);
    const { user } = process.cpuUsage(start);
    assert.ok(user < 2_000_000, `${user} µs`);
  }
});

test('the header is found among the others by its name alone', () => {
  const name = fc.constantFrom(
    'Connection',
    'Keep-Aliv',
    'Keep-Alives',
    'keepalive_',
    'X',
    'Kontinued!',
    'keep-alivE',
  );
  const pair = fc.tuple(name, fc.string());
  fc.assert(
    fc.property(
      fc.array(pair),
      fc.array(pair),
      fc.option(spelling('keep-alive'), { nil: undefined }),
      (before, after, key) => {
        const raw = [...before, ...(key === undefined ? [] : [[key, 'timeout=5']]), ...after].flat();
        const found =
          before.find(([one]) => one === 'keep-alivE')?.[1] ??
          (key === undefined ? after.find(([one]) => one === 'keep-alivE')?.[1] : 'timeout=5');
        assert.equal(keepAliveHeader(raw), found);
      },
    ),
  );
});
