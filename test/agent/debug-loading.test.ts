/** The package `debug` is loaded for those who want to read its lines, and for nobody else; where there is none, nothing is printed and nothing breaks. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = fileURLToPath(new URL('../../src/', import.meta.url));
const LRU_CACHE = fileURLToPath(new URL('../../../node_modules/lru-cache', import.meta.url));

/** Makes an agent, and has it fail to connect. Prints whether `debug` was loaded, and what `enableDebug` has returned, if it was called. */
function tryOut(t: string, { DEBUG, calls = false, from = HERE }: Setting): [string, string] {
  const code = `
    import { createRequire } from 'node:module';
    import { get } from 'node:https';
    const { enableDebug, PoolingAgent } = await import(${JSON.stringify(pathToFileURL(join(from, 'index.js')))});
    const said = ${calls} ? enableDebug() : 'not called';
    const agent = new PoolingAgent();
    get({ host: '127.0.0.1', port: 1, agent }).on('error', () => {
      const isLoaded = Object.keys(createRequire(import.meta.url).cache).some((path) => /[/\\\\]debug[/\\\\]/.test(path));
      console.log(isLoaded, said);
    });`;
  const { DEBUG: _, ...rest } = process.env;
  const env = DEBUG === undefined ? rest : { ...rest, DEBUG };
  const args = ['--input-type=module', '--eval', code];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' });
  assert.equal(status, 0, `${t}: ${stderr}`);
  return [stdout.trim(), stderr];
}

interface Setting {
  readonly DEBUG?: string;
  readonly calls?: boolean;
  readonly from?: string;
}

test('without DEBUG it is not loaded', (t) => {
  assert.deepEqual(tryOut(t.name, {}), ['false not called', '']);
  assert.deepEqual(tryOut(t.name, { DEBUG: '' }), ['false not called', ''], 'set to nothing');
});

test('with DEBUG it is, and prints what is asked for', (t) => {
  const [stdout, stderr] = tryOut(t.name, { DEBUG: 'another,pooling-*' });
  assert.equal(stdout, 'true not called');
  assert.match(stderr, /pooling-https-agent #1 127\.0\.0\.1:1 is opened for GET/);
  assert.deepEqual(tryOut(t.name, { DEBUG: 'another' }), ['true not called', '']);
});

test('enableDebug() loads it', (t) => {
  const [stdout, stderr] = tryOut(t.name, { calls: true });
  assert.equal(stdout, 'true true');
  assert.match(stderr, /pooling-https-agent #1 127\.0\.0\.1:1 closed: .*ECONNREFUSED/);
});

test('where it cannot be loaded, nothing is printed', (t) => {
  const from = mkdtempSync(join(tmpdir(), 'no-debug-'));
  t.after(() => rmSync(from, { recursive: true }));
  cpSync(HERE, from, { recursive: true });
  mkdirSync(join(from, 'node_modules/debug'), { recursive: true });
  // There may be another one in a folder above.
  writeFileSync(join(from, 'node_modules/debug/index.js'), 'throw new Error("not to be loaded")');
  symlinkSync(LRU_CACHE, join(from, 'node_modules/lru-cache'), 'junction');
  assert.deepEqual(tryOut(t.name, { DEBUG: '*', from }), ['false not called', '']);
  assert.deepEqual(tryOut(t.name, { calls: true, from }), ['false false', '']);
});
