/** Paths of Unix sockets around the length that the system has room for: one that fits is connected to, one that does not is an error. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { failIfUnusable } from '../../src/node/unix-path.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { get } from '../support/server.js';

const LIMIT = { timeout: 120_000, skip: process.platform !== 'linux' && 'a limit of Linux' };

function codeOf(path: string): unknown {
  try {
    failIfUnusable(path);
    return undefined;
  } catch (error) {
    return Reflect.get(Object(error), 'code');
  }
}

test('a path up to the longest is connected to, and no other', LIMIT, async (t) => {
  const { key, cert } = await certificate();
  const directory = await mkdtemp(join(tmpdir(), 'unix-path-'));
  t.after(() => rm(directory, { recursive: true }));
  for (const length of [103, 104, 106, 107]) {
    const path = join(directory, 'x'.repeat(length - directory.length - 1));
    assert.equal(Buffer.byteLength(path), length);
    const server = createServer({ key, cert }, (req, res) => res.end(req.url));
    await new Promise<void>((resolve, reject) => server.on('error', reject).listen(path, resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const agent = poolingAgent(t, { ca: cert });
    const answer = await get({ port: 1, ca: cert }, { agent, socketPath: path, path: `/${length}` });
    assert.equal(answer.body, `/${length}`);
    // One byte more leads to no server of a shorter name.
    for (const more of ['y', 'yy', 'yyyyyy']) {
      const longer = `${path}${more}`;
      await assert.rejects(get({ port: 1, ca: cert }, { agent, socketPath: longer }), {
        code: longer.length <= 107 ? 'ENOENT' : /^(?:ENOENT|ENAMETOOLONG|EINVAL)$/,
      });
    }
  }
});

test('bytes are counted, not letters', LIMIT, () => {
  assert.equal(codeOf(`/tmp/${'ä'.repeat(51)}`), undefined);
  assert.equal(codeOf(`/tmp/${'ä'.repeat(52)}`), 'EINVAL');
});

test('a NUL is good at the beginning alone', LIMIT, () => {
  assert.equal(codeOf('/tmp/a\0b'), 'EINVAL');
  assert.equal(codeOf('a\0'), 'EINVAL');
  assert.equal(codeOf('\0abstract'), undefined);
  // In a name of that kind there may be more of them, as far as the system is concerned.
  assert.notEqual(codeOf('\0abstract\0name'), 'EINVAL');
});
