/** `npm run demo`: what it prints fits on a terminal, and its sentence is computed. `.ci/run` runs it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { conclusion, lostByUs } from '../../examples/demo/conclusion.js';
import type { AllResults } from '../../examples/demo/conclusion.js';
import type { Result } from '../../examples/demo/contest.js';
import { WIDTH, wrap } from '../../examples/demo/layout.js';
import { Outcomes } from '../../examples/demo/outcomes.js';
import { phases } from '../../examples/demo/phases.js';
import { LEGEND, phaseReport } from '../../examples/demo/report.js';
import { paintFor, plain } from '../../examples/demo/style.js';

/** An agent that answered this number of requests in a second. */
function result(answered: number, change: (outcomes: Outcomes) => void = () => {}): Result {
  const outcomes = new Outcomes();
  outcomes.sent.GET = answered;
  outcomes.answered = answered;
  change(outcomes);
  const latencies = Array.from({ length: answered }, () => 12_345.6);
  return {
    samples: [{ latencies, elapsed: 1000, cpu: answered * 1e6 }],
    outcomes,
    connections: 1e7,
    resumed: 1e7,
  };
}

function results(ours: Result, others: Result = result(1000)): AllResults {
  const each = { 'https.Agent': others, agentkeepalive: others, PoolingAgent: ours };
  return Object.fromEntries(phases.map(({ name }) => [name, each])) as unknown as AllResults;
}

function assertFits(text: string): void {
  for (const line of stripVTControlCharacters(text).split('\n')) {
    assert.ok(line.length <= 100, `${line.length} columns: ${line}`);
  }
}

suite('what the demo prints', () => {
  test('fits in 100 columns, in colour too, whatever the figures', () => {
    assert.equal(WIDTH, 100);
    const much = result(100, (outcomes) => {
      for (const counts of [outcomes.sent, outcomes.resets, outcomes.otherErrors]) {
        counts.GET = counts.POST = 12_345_678;
      }
      outcomes.astray = outcomes.unended = 12_345_678;
    });
    const none = result(0);
    const paint = paintFor({ isTTY: true }, { FORCE_COLOR: '3' });
    for (const all of [results(much), results(none, none), results(none, much)]) {
      for (const phase of phases) {
        assertFits(phaseReport(phase, all[phase.name], plain));
        assertFits(phaseReport(phase, all[phase.name], paint));
      }
      assertFits(wrap(conclusion(all)));
    }
    assertFits(wrap(LEGEND));
  });

  test('has colour where the terminal has it, and nobody has said no', () => {
    const red = (isTTY: boolean, env: NodeJS.ProcessEnv): string => paintFor({ isTTY }, env)('red', 'x');
    assert.equal(red(true, { TERM: 'xterm-256color' }), '\x1b[31mx\x1b[39m');
    assert.equal(red(true, { TERM: 'xterm-256color', NO_COLOR: '1' }), 'x');
    assert.equal(red(true, { TERM: 'dumb' }), 'x');
    assert.equal(red(false, { TERM: 'xterm-256color' }), 'x');
    assert.equal(red(false, { FORCE_COLOR: '1' }), '\x1b[31mx\x1b[39m');
  });
});

suite('the sentence at the end', () => {
  test('tells what was measured, better or worse', () => {
    assert.match(
      conclusion(results(result(1500))),
      /answered 1\.50 times as many .* 1\.50 times as many behind/,
    );
    assert.match(conclusion(results(result(800))), /answered 0\.80 times as many/);
    assert.equal(
      conclusion(results(result(800)))
        .match(/[.;!?]( |$)/g)
        ?.filter((end) => end[0] !== ';').length,
      1,
    );
  });

  test('tells what was lost, and a POST that failed with an error is not', () => {
    const cases: [(outcomes: Outcomes) => void, number][] = [
      [() => {}, 0],
      [(outcomes) => (outcomes.resets.POST = 2), 0],
      [(outcomes) => (outcomes.resets.GET = 2), 2],
      [(outcomes) => (outcomes.otherErrors.GET = 2), 2],
      [(outcomes) => (outcomes.unended = 2), 2],
      [(outcomes) => (outcomes.astray = 2), 2],
    ];
    for (const [change, lost] of cases) {
      const all = results(result(100, change));
      assert.equal(lostByUs(all), lost * phases.length);
      assert.match(conclusion(all), lost === 0 ? /of all its requests it lost none\.$/ : /it lost 12\.$/);
    }
    const theirs = results(
      result(100),
      result(100, (outcomes) => (outcomes.astray = 7)),
    );
    assert.equal(lostByUs(theirs), 0, 'what others lose is theirs');
    assert.match(conclusion(theirs), /https\.Agent: 7 of 100/);
  });
});

function demo(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const script = fileURLToPath(new URL('../../examples/demo.js', import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

test('arguments that it does not know are refused before anything starts', { timeout: 120_000 }, async () => {
  const { code, stdout, stderr } = await demo('--inspekt');
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^ERR_PARSE_ARGS_UNKNOWN_OPTION: .*--inspekt[^]*Usage: npm run demo/);
});
