// Bundlers: each bundle is run where nothing is installed.
import { cpSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/run.mjs';
import { folderOf, inTurn, project, succeeds, temp, TIMEOUT } from './projects.mjs';
import { BODY, CJS, ESM } from './source.mjs';

const MAIN = `async function main() {${BODY}}\nmain();\n`;
const SOURCE = { 'in.mjs': `${ESM}${MAIN}`, 'in.cjs': `${CJS}${MAIN}` };

export function bundlerCases() {
  return [
    bundler('esbuild, ESM', 'out.mjs', esbuild('--format=esm')),
    bundler('esbuild, ESM, minified', 'out.mjs', esbuild('--format=esm', '--minify')),
    bundler('esbuild, CommonJS', 'out.cjs', esbuild('--format=cjs')),
    bundler('esbuild, CommonJS, minified', 'out.cjs', esbuild('--format=cjs', '--minify')),
    // Its "module" is no condition then.
    bundler('esbuild, ESM, with conditions', 'out.mjs', esbuild('--format=esm', '--conditions=worker')),
    bundler('esbuild, CommonJS, required', 'out.cjs', esbuildOf('in.cjs', '--format=cjs')),
    bundler('webpack 5', 'out.cjs', script(WEBPACK)),
    bundler('Rollup, ESM', 'out.mjs', script(rollup('es', 'out.mjs'))),
    bundler('Rollup, CommonJS', 'out.cjs', script(rollup('cjs', 'out.cjs'))),
    bundler('ncc', 'index.mjs', {
      args: () => [installed('@vercel/ncc/dist/ncc/cli.js'), 'build', 'in.mjs', '-o', '.', '--no-cache'],
    }),
  ];
}

/** @param output what is to be run */
function bundler(title, output, { args, files = {}, command = process.execPath }) {
  return {
    title: `bundled: ${title}`,
    group: 'tools',
    check: () => {
      const cwd = project('tools', title, { ...SOURCE, ...files });
      return inTurn(
        () => succeeds(args(output), cwd, command),
        () => runAlone(cwd, output),
      );
    },
  };
}

function installed(path) {
  return join(folderOf('tools'), 'node_modules', path);
}

function esbuild(...flags) {
  return esbuildOf('in.mjs', ...flags);
}

function esbuildOf(input, ...flags) {
  const options = [input, '--bundle', '--platform=node', ...flags];
  return { command: installed('esbuild/bin/esbuild'), args: (output) => [...options, `--outfile=${output}`] };
}

function script(code) {
  return { files: { 'build.mjs': code }, args: () => ['build.mjs'] };
}

const WEBPACK = `
  import webpack from 'webpack';
  const output = { path: process.cwd(), filename: 'out.cjs' };
  webpack({ mode: 'production', target: 'node', entry: './in.mjs', output }, (error, stats) => {
    if (!error && !stats.hasErrors()) return;
    console.log(error ?? stats.toString());
    process.exitCode = 1;
  });`;

function rollup(format, file) {
  return `
    import { rollup } from 'rollup';
    import { nodeResolve } from '@rollup/plugin-node-resolve';
    import commonjs from '@rollup/plugin-commonjs';
    const plugins = [nodeResolve({ preferBuiltins: true }), commonjs()];
    const bundle = await rollup({ input: 'in.mjs', plugins });
    await bundle.write({ format: '${format}', file: '${file}' });`;
}

/** Also where lines are asked for, which a bundle that lacks `debug` does not print: it works all the same. */
async function runAlone(cwd, file) {
  const alone = mkdtempSync(join(temp, 'bundle-'));
  cpSync(join(cwd, file), join(alone, file));
  for (const DEBUG of ['', '*']) {
    const args = [`DEBUG=${DEBUG}`, process.execPath, file];
    const { ok, output } = await run('env', args, { cwd: alone, quiet: true, timeout: TIMEOUT });
    if (!ok) return output || 'it failed, and says nothing';
  }
  return undefined;
}
