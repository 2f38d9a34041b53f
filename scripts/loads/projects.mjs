// The folders of `npm run check:loads`: tools come from a cache that outlives the run, the package from a tarball, and each project is made anew.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { run } from '../lib/run.mjs';
import { NAME } from './source.mjs';
import { GROUPS, OPTIONAL_GROUPS } from './tools.mjs';

/** Milliseconds for one step of a project. */
export const TIMEOUT = 180_000;

// Not below node_modules: Jest looks for no tests there.
const cache = join(tmpdir(), `${NAME}-loads-${userInfo().username}`);

/** Removed when the run is over. */
export const temp = mkdtempSync(join(tmpdir(), 'loads-'));

export function folderOf(group) {
  const list = GROUPS[group] ?? OPTIONAL_GROUPS[group];
  return join(
    cache,
    `${group}-${createHash('sha256').update(JSON.stringify(list)).digest('hex').slice(0, 8)}`,
  );
}

/** The tools of a group from the cache or the registry, and beside them the package. `false`: an optional one that is not to be had. */
export async function install(group, tarball) {
  const folder = folderOf(group);
  const list = GROUPS[group] ?? OPTIONAL_GROUPS[group];
  if (!existsSync(join(folder, 'installed'))) {
    mkdirSync(folder, { recursive: true });
    const manifest = { private: true, dependencies: { ...list, 'lru-cache': '11.5.3', debug: '4.4.3' } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
    const scripts = group in OPTIONAL_GROUPS || group === 'tools' ? [] : ['--ignore-scripts'];
    const args = ['install', '--no-audit', '--no-fund', '--legacy-peer-deps', ...scripts];
    const { ok, output } = await run('npm', args, { cwd: folder, quiet: true });
    if (!ok && group in OPTIONAL_GROUPS) return false;
    if (!ok) throw new Error(`${group}: ${output}`);
    writeFileSync(join(folder, 'installed'), '');
  }
  const target = join(folder, 'node_modules', NAME);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  await must('tar', ['-xzf', tarball, '--strip-components=1', '-C', target]);
  return true;
}

/** A folder of its own inside that of the group: what is installed there is found. */
export function project(group, title, files) {
  const folder = join(folderOf(group), 'projects', title.replaceAll(/[^\w.]+/g, '-'));
  rmSync(folder, { recursive: true, force: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

export async function succeeds(args, cwd, command = process.execPath) {
  const { ok, output } = await run(command, args, { cwd, quiet: true, timeout: TIMEOUT });
  return ok ? undefined : output || `${args[0]} failed, or took longer than ${TIMEOUT} ms`;
}

/** Runs steps until one of them tells what is wrong. */
export async function inTurn(...steps) {
  for (const step of steps) {
    const wrong = await step();
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

/** Whether a tool says that it runs here. */
export function isForThisNode(group, tool) {
  const { engines } = JSON.parse(
    readFileSync(join(folderOf(group), 'node_modules', tool, 'package.json'), 'utf8'),
  );
  const [major] = process.versions.node.split('.').map(Number);
  // The tools' ranges name whole lines: ^20.19.0 || ^22.12.0 || >=24.
  const lines = (engines?.node ?? '>=0').split('||').map((range) => range.trim());
  return lines.some((range) => {
    const line = Number(/\d+/.exec(range)?.[0]);
    return range.startsWith('>=') ? major >= line : major === line;
  });
}

export async function pack() {
  const { stdout } = await must('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', temp]);
  return join(temp, JSON.parse(stdout)[0].filename);
}

export async function must(command, args) {
  const result = await run(command, args, { quiet: true });
  if (!result.ok) throw new Error(`${command} ${args.join(' ')}\n${result.output}`);
  return result;
}
