// Runs a command. Nothing else: no shell, no retries.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** The compiler, by its file: node_modules/.bin/tsc may be that of an older TypeScript that a development tool brings, which takes five times as long. */
export const tsc = join(root, 'node_modules/typescript/bin/tsc');

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, quiet?: boolean, timeout?: number }} [options] `env`: its environment (default: ours);
 * `quiet`: collect what it prints instead of showing it; `timeout`: milliseconds after which it is asked to stop (SIGTERM)
 * @returns {Promise<{ ok: boolean, output: string, stdout: string }>} `output`: stdout and stderr, as they came
 */
export function run(command, args, { cwd = root, env = process.env, quiet = false, timeout = 0 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      timeout,
      stdio: ['ignore', ...(quiet ? ['pipe', 'pipe'] : ['inherit', 'inherit'])],
    });
    let output = '';
    let stdout = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      output += text;
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ ok: code === 0, output, stdout }));
  });
}
