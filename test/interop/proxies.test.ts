/**
 * Real proxies, from Debian's packages: squid, tinyproxy, mitmproxy, HAProxy as the TLS front of one, and dante for SOCKS; with authentication where they have it. Each is
 * skipped where it is not installed, unless INTEROP=required. Each is started once for its tests, because to start some of them takes a second of CPU.
 */
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import '../support/audit.js';
import { lookupLoopback } from '../contract/support.js';
import type { PoolingAgentOptions, ProxyOptions } from '../../src/index.js';
import { poolingAgent } from '../support/agent.js';
import { certificate } from '../support/certificate.js';
import { get, httpsServer } from '../support/server.js';
import { until } from '../support/until.js';
import { find, freePort, ServerProcess, temporaryDirectory } from './server-process.js';
import type { Life } from './server-process.js';

const LIMIT = { timeout: 120_000 };
const USER = 'user';
const PASSWORD = 'pa-ss.w0rd';

interface RealProxy {
  /** Its URL without credentials. */
  readonly url: string;
  /** With TLS options, where it speaks TLS. */
  readonly tls?: ProxyOptions['tls'];
}

interface Kind {
  readonly program: string;
  /** Whether it wants credentials. */
  readonly authenticates: boolean;
  start(t: Life, path: string, directory: string, port: number): Promise<RealProxy>;
}

async function squid(t: Life, path: string, directory: string, port: number): Promise<void> {
  // Its helpers lie beside its other files. This one takes one user with one password.
  const helper = join(directory, 'helper.sh');
  writeFileSync(
    helper,
    `#!/bin/sh\nwhile read -r line; do case "$line" in '${USER} ${PASSWORD}') echo OK;; *) echo ERR;; esac; done\n`,
  );
  chmodSync(helper, 0o755);
  chmodSync(directory, 0o777);
  writeFileSync(
    join(directory, 'squid.conf'),
    `
http_port 127.0.0.1:${port}
pid_filename none
cache deny all
access_log none
cache_log ${directory}/cache.log
netdb_filename none
coredump_dir ${directory}
shutdown_lifetime 0 seconds
auth_param basic program ${helper}
auth_param basic children 1
acl known proxy_auth REQUIRED
http_access allow CONNECT known
http_access deny all
`,
  );
  await ServerProcess.start(t, [path, '-N', '-f', 'squid.conf'], { cwd: directory, port });
}

const KINDS: Record<string, Kind> = {
  squid: {
    program: 'squid',
    authenticates: true,
    async start(t, path, directory, port) {
      await squid(t, path, directory, port);
      return { url: `http://127.0.0.1:${port}` };
    },
  },
  tinyproxy: {
    program: 'tinyproxy',
    authenticates: true,
    async start(t, path, directory, port) {
      writeFileSync(
        join(directory, 'tinyproxy.conf'),
        `Port ${port}\nListen 127.0.0.1\nTimeout 600\nMaxClients 50\nAllow 127.0.0.1\nBasicAuth ${USER} ${PASSWORD}\nLogLevel Critical\n`,
      );
      await ServerProcess.start(t, [path, '-d', '-c', 'tinyproxy.conf'], { cwd: directory, port });
      return { url: `http://127.0.0.1:${port}` };
    },
  },
  'HAProxy before squid, with TLS': {
    program: 'haproxy',
    authenticates: true,
    async start(t, path, directory, port) {
      const squidPath = find('squid');
      if (squidPath === undefined) throw new Error('squid is not installed');
      const behind = await freePort();
      const inner = temporaryDirectory(t);
      await squid(t, squidPath, inner, behind);
      const { key, cert } = await certificate();
      writeFileSync(join(directory, 'both.pem'), `${cert}\n${key}`);
      writeFileSync(
        join(directory, 'haproxy.cfg'),
        `
global
  nbthread 1
defaults
  mode tcp
  timeout client 600s
  timeout connect 60s
  timeout server 600s
frontend proxy
  bind 127.0.0.1:${port} ssl crt both.pem
  default_backend squid
backend squid
  server one 127.0.0.1:${behind}
`,
      );
      await ServerProcess.start(t, [path, '-db', '-f', 'haproxy.cfg'], { cwd: directory, port });
      return { url: `https://localhost:${port}`, tls: { ca: cert } };
    },
  },
  mitmproxy: {
    program: 'mitmdump',
    authenticates: true,
    async start(t, path, directory, port) {
      const options = ['--set', `confdir=${directory}`, '--ignore-hosts', '.*', '-q'];
      const auth = ['--proxyauth', `${USER}:${PASSWORD}`];
      const command = [path, '--listen-host', '127.0.0.1', '-p', String(port), ...options, ...auth];
      await ServerProcess.start(t, command, { cwd: directory, port });
      return { url: `http://127.0.0.1:${port}` };
    },
  },
  dante: {
    program: 'danted',
    authenticates: false,
    async start(t, path, directory, port) {
      writeFileSync(
        join(directory, 'danted.conf'),
        `
logoutput: stderr
internal: 127.0.0.1 port = ${port}
external: lo
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
`,
      );
      await ServerProcess.start(t, [path, '-f', 'danted.conf'], { cwd: directory, port });
      return { url: `socks5h://127.0.0.1:${port}` };
    },
  },
};

function withCredentials(url: string, password = PASSWORD): string {
  return url.replace('://', `://${USER}:${encodeURIComponent(password)}@`);
}

for (const [name, kind] of Object.entries(KINDS)) {
  const program = find(kind.program);
  const skip =
    program === undefined && process.env['INTEROP'] !== 'required' && `${kind.program} is not installed`;
  describe(name, { skip }, () => {
    let proxy: RealProxy | undefined;
    const ends: (() => unknown)[] = [];
    before(async () => {
      if (skip) return;
      if (program === undefined) throw new Error(`${kind.program} is not installed`);
      const life: Life = { after: (end) => void ends.unshift(end as () => unknown) };
      proxy = await kind.start(life, program, temporaryDirectory(life), await freePort());
    });
    after(async () => {
      for (const end of ends) await end();
    });

    const setUp = async (t: TestContext, options: PoolingAgentOptions = {}, password = PASSWORD) => {
      assert.ok(proxy);
      const { url, tls } = proxy;
      const server = await httpsServer(t);
      const own = { url: kind.authenticates ? withCredentials(url, password) : url, ...(tls && { tls }) };
      return { server, url, tls, agent: poolingAgent(t, { ca: server.ca, ...options, proxy: own }) };
    };

    it('tunnels are shared, limited, and resume sessions', LIMIT, async (t) => {
      const { server, agent } = await setUp(t, { maxSockets: 3 });
      for (const path of ['/1', '/2', '/3']) assert.equal((await get(server, { agent, path })).body, path);
      assert.equal(server.connections(), 1);
      const paths = Array.from({ length: 40 }, (_, i) => `/many/${i}`);
      const answers = await Promise.all(paths.map((path) => get(server, { agent, path })));
      assert.deepEqual(
        answers.map(({ body }) => body),
        paths,
      );
      assert.ok(server.peak() <= 3);
      agent.closeIdleConnections();
      await until(() => agent.totalSocketCount === 0);
      const resumed = server.resumed();
      await get(server, { agent });
      assert.equal(server.resumed(), resumed + 1);
    });

    it('nobody listens where the tunnel is to lead', LIMIT, async (t) => {
      const { server, agent } = await setUp(t);
      const port = await freePort();
      await assert.rejects(get({ ...server, port }, { agent }), (error: Error & { code?: string }) => {
        // mitmproxy opens the tunnel before it has looked.
        assert.match(error.code ?? '', /^(?:ERR_PROXY_TUNNEL|ECONNRESET)$/);
        return true;
      });
      assert.equal((await get(server, { agent, path: '/1' })).body, '/1');
    });

    if (name === 'dante') {
      it('a name that is looked up here', LIMIT, async (t) => {
        const { server, url } = await setUp(t);
        const agent = poolingAgent(t, { ca: server.ca, proxy: url.replace('socks5h:', 'socks5:') });
        const options = { agent, host: 'here.test', headers: { Host: 'localhost' }, lookup: lookupLoopback };
        assert.equal((await get(server, { ...options, path: '/1' })).body, '/1');
      });
    }
    if (!kind.authenticates) return;

    it('credentials that are wrong, and none', LIMIT, async (t) => {
      const { server, agent, url, tls } = await setUp(t, {}, 'wrong');
      await assert.rejects(get(server, { agent }), (error: Error & { statusCode?: number }) => {
        // tinyproxy says 401 to those.
        assert.ok(error.statusCode === 407 || error.statusCode === 401, String(error));
        assert.doesNotMatch(error.message, /wrong/);
        return true;
      });
      const other = poolingAgent(t, { ca: server.ca, proxy: { url, ...(tls && { tls }) } });
      await assert.rejects(get(server, { agent: other }), { statusCode: 407, code: 'ERR_PROXY_TUNNEL' });
    });
  });
}
