// The two builds in one process, and other runtimes than Node.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lib/run.mjs';
import { folderOf, must, project, succeeds } from './projects.mjs';
import { ESM, NAME } from './source.mjs';

export function copyCases() {
  return [
    {
      title: 'the two builds in one process',
      group: 'tools',
      check: async () => {
        await must('npm', ['run', '--silent', 'build:all']);
        const cwd = project('tools', 'two builds', {
          'run.mjs': `
            import { createRequire } from 'node:module';
            import * as esm from '${NAME}';
            import { CASES, Scene } from './scenario.mjs';
            const cjs = createRequire(import.meta.url)('${NAME}');
            if (esm.PoolingAgent === cjs.PoolingAgent) throw new Error('one build');
            for (const [a, b] of [[esm, cjs], [cjs, esm]]) {
              for (const [title, test] of Object.entries(CASES)) {
                const scene = await new Scene(${JSON.stringify(await certificate())}).listen();
                try { await test(a, b, scene); } catch (error) { console.log(title, error); process.exitCode = 1; } finally { scene.close(); }
              }
            }`,
        });
        cpSync(join(root, 'build/test/copies/scenario.js'), join(cwd, 'scenario.mjs'));
        return succeeds(['run.mjs'], cwd);
      },
    },
  ];
}

async function certificate() {
  const { certificate: make } = await import(join(root, 'build/test/support/certificate.js'));
  return make();
}

export function otherRuntimes() {
  const load = `${ESM}const agent = new PoolingAgent({ maxSockets: 1 }); if (agent.maxSockets !== 1) throw new Error('no agent'); agent.destroy();`;
  return [
    ['bun', ['a.mjs']],
    ['deno', ['run', '--allow-all', 'a.mjs']],
  ].map(([name, args]) => ({
    title: `${name}: it loads`,
    group: name,
    check: () =>
      succeeds(
        args,
        project(name, 'smoke', { 'a.mjs': load }),
        join(folderOf(name), 'node_modules/.bin', name),
      ),
  }));
}
