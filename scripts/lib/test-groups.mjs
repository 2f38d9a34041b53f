// Groups of test files that share a process. Half a second of CPU goes into each process (Node, its test runner, the sources, what V8 compiles of them), and most
// files need less than that for their tests. `node --test FILE` runs one by itself, as always.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Most files that share a process: they run one after the other, and some wait long. */
const LARGEST = 20;

/** Files that take longest, which have processes of their own. They start first, so that none is still running when all others are done. */
const LONG = [
  'lifecycle/warm',
  'faults/leaks',
  'egress/destinations',
  'inspect/chromium',
  'clients/over-http',
  'contract/over-http',
  'connections/over-http',
  'lifecycle/over-http',
  'agent/abort',
  'pool/scale',
];

/** Files that change what other files rely on, or that need a new process. */
const ALONE = new Set([
  // They check what is loaded at first.
  'agent/recently-used',
  'clients/nock',
  'clients/nock-15',
  'clients/nock-15-first',
  // They replace functions of Node before the package is loaded.
  'contract/fake-timers',
  'contract/faked-ticks',
  'contract/interception',
  'contract/lost-callbacks',
  'contract/patching',
  // They measure the heap and garbage, or keep the event loop busy.
  'faults/busy-loop',
  'faults/poisoning-fuzz',
  // They change what the package assumes about Node, once per process, or see how it is found out.
  'connections/counted-polls',
  'node/capabilities',
  'node/other-node',
  'node/wrapped-ticks',
  // They make a pool whose counts are wrong, which an audit of other tests would find.
  'pool/wrong-counts',
  // It runs the other files of its folder.
  'tls/options/table',
]);

/** Files of any folder for which all of their process speaks `http:`. */
const OVER_HTTP = /\/over-http[^/]*$/;

/**
 * Files that `npm test` leaves out, because they take a quarter of the time; all other runs have them. They run most tests once more over `http:`, start a
 * browser, or read the documents.
 */
const LEFT_OUT = /\/over-http|^inspect\/chromium$|^tooling\/(code-blocks|examples)$/;

/**
 * @param {readonly string[]} files compiled test files, with absolute paths
 * @param {string} folder where they lie
 * @param {string} groups a folder beside it, for files that each run several
 * @param {readonly string[]} without folders of `folder` that are left out
 * @param {boolean} all whether the files that `npm test` leaves out are run, too
 * @returns {string[]} what the test runner is to run, in this order
 */
export function inGroups(files, folder, groups, without = [], all = true) {
  const named = files.map((path) => [nameIn(folder, path), path]);
  checkNames(new Set(named.map(([name]) => name)));
  const isLeftOut = (name) => without.includes(name.split('/')[0]) || (!all && LEFT_OUT.test(name));
  const paths = new Map(named.filter(([name]) => !isLeftOut(name)));
  const pathsOf = (names) => names.flatMap((name) => paths.get(name) ?? []);
  rmSync(groups, { recursive: true, force: true });
  mkdirSync(groups);
  const parts = [...byFolder([...paths.keys()])].flatMap(([name, members]) =>
    split(members).map((part, index) => ({
      part,
      file: `${name.replaceAll('/', '-')}-${index + 1}.test.js`,
    })),
  );
  const shared = parts
    .toSorted((one, other) => sizeOf(other.part) - sizeOf(one.part))
    .map(({ part, file }) => {
      const path = join(groups, file);
      const imports = pathsOf(part).map(
        (member) => `import ${JSON.stringify(pathToFileURL(member).href)};\n`,
      );
      writeFileSync(path, imports.join(''));
      return path;
    });
  const others = [...paths.keys()].filter((name) => isAlone(name) && !LONG.includes(name));
  return [...pathsOf(LONG), ...shared, ...pathsOf(others)];
}

/** The largest groups start first, because they take longest; those that start servers of others before all. */
function sizeOf(part) {
  return part[0].startsWith('interop/') ? LARGEST + 1 : part.length;
}

/** A file that was renamed would share a process from then on, and nobody would know. */
function checkNames(names) {
  const missing = [...LONG, ...ALONE].filter((name) => !names.has(name));
  if (missing.length > 0)
    throw new Error(`scripts/lib/test-groups.mjs names no test files: ${missing.join(', ')}`);
}

/** `limits/queue` */
function nameIn(folder, path) {
  return relative(folder, path).replaceAll(sep, '/').replace('.test.js', '');
}

function isAlone(name) {
  return ALONE.has(name) || OVER_HTTP.test(name);
}

function byFolder(names) {
  const folders = new Map();
  for (const name of names) {
    if (LONG.includes(name) || isAlone(name)) continue;
    const folder = name.slice(0, name.lastIndexOf('/'));
    folders.set(folder, [...(folders.get(folder) ?? []), name]);
  }
  return folders;
}

/** Splits into parts of about the same size. */
function split(names) {
  const count = Math.ceil(names.length / LARGEST);
  return Array.from({ length: count }, (_, part) => names.filter((__, index) => index % count === part));
}
