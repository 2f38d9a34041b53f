// A reporter for Node's test runner whose output is a screenful when all is well: a dot for each test, then the runner's own
// counts (`ℹ tests …`). Tests that fail are named at once, and told in full at the end, in the words of Node's own reporter;
// what tests print is passed on.
import { spec as Spec } from 'node:test/reporters';

/** Dots in a line. */
const WIDTH = 100;

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* briefReporter(events) {
  const spec = new Spec();
  spec.setEncoding('utf8');
  const take = () => spec.read() ?? '';
  let column = 0;
  /** A line of its own for `text`. */
  const line = (text) => {
    const start = column === 0 ? '' : '\n';
    column = 0;
    return `${start}${text}`;
  };
  for await (const event of events) {
    const { type, data } = event;
    if (type === 'test:pass') {
      if (data.details?.type === 'suite') continue;
      column++;
      yield data.skip === undefined ? '.' : '-';
      if (column === WIDTH) yield line('');
    } else if (type === 'test:fail') {
      // Node's reporter tells it now and once more at the end, which is enough.
      spec.write(event);
      take();
      if (data.details?.error?.failureType === 'subtestsFailed') continue;
      yield line(`✖ ${data.name} (${data.file ?? 'no file'})\n`);
    } else if (type === 'test:stdout' || type === 'test:stderr') {
      yield line(data.message);
    } else if (type === 'test:diagnostic' && !isOfTest(data)) {
      spec.write(event);
      yield line(take());
    }
  }
  spec.end();
  // Flushed by then.
  await new Promise((resolve) => setImmediate(resolve));
  yield line(take());
}

/**
 * The words of a test by `t.diagnostic` are for those who ask for every test. The runner's own words are the counts, and
 * errors that came after their test was over.
 */
function isOfTest({ nesting, message }) {
  const own = /^(?:(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) |(?:Error|Warning): )/;
  return nesting > 0 || !own.test(message);
}
