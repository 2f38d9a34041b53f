/** The JavaScript of README and docs/ runs as it stands, against a real server; and the commands that they name are there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { blocksOf, pages } from '../support/pages.js';
import { httpsServer } from '../support/server.js';

/** From where the tests are built to. */
const ROOT = new URL('../../../', import.meta.url);
const CHILD = fileURLToPath(new URL('code-blocks-child.js', import.meta.url));
const LIMIT = { timeout: 120_000 };

const shown = pages().map((page) => ({ page, blocks: blocksOf(page) }));

/** Text, configuration and output of others: nothing runs it. */
const SHOWN_ONLY = ['json', 'mermaid', 'text', 'yaml'];

/** Runs what `page` shows, in a process of its own. */
async function runPage(t: TestContext, page: string): Promise<{ code: number; output: string }> {
  const { server, port, ca } = await httpsServer(t);
  const webSockets = new WebSocketServer({ server });
  t.after(() => webSockets.removeAllListeners());
  const folder = await mkdtemp(join(tmpdir(), 'page-'));
  t.after(() => rm(folder, { recursive: true }));
  const authority = join(folder, 'ca.pem');
  await writeFile(authority, ca);
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: authority };
  return new Promise((resolve) => {
    execFile(process.execPath, [CHILD, page, String(port)], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr });
    });
  });
}

suite('each block of JavaScript runs', { concurrency: 2 }, () => {
  for (const { page, blocks } of shown) {
    if (!blocks.some(({ language }) => language === 'js')) continue;
    test(page, LIMIT, async (t) => {
      const { code, output } = await runPage(t, page);
      assert.equal(code, 0, output);
      assert.match(output, /^done$/m, output);
    });
  }
});

test('each block says its language, and one that is tested', () => {
  const others = shown.flatMap(({ page, blocks }) =>
    blocks
      .filter(({ language }) => !['js', 'sh', ...SHOWN_ONLY].includes(language))
      .map(({ language, line }) => `${page}:${line} ${language}`),
  );
  assert.deepEqual(others, []);
});

test('scripts and examples that commands name are there', () => {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', ROOT), 'utf8')) as { scripts: object };
  const commands = shown.flatMap(({ blocks }) =>
    blocks.filter(({ language }) => language === 'sh').map(({ code }) => code),
  );
  const text = commands.join('\n');
  const names = [...text.matchAll(/npm run (?:--silent )?([\w:]+)(?: ([a-z-]+))?/g)];
  assert.ok(names.length > 5);
  for (const [, script = '', argument] of names) {
    assert.ok(Object.hasOwn(scripts, script), `npm run ${script}`);
    if (script === 'example') assert.ok(existsSync(new URL(`examples/${argument}.ts`, ROOT)), argument);
  }
});
