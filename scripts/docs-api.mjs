// `npm run docs:api`: the reference of all that the package exports, in docs/api, from the comments beside the types. It fails where an export has no
// comment, or a type of the public surface is not exported. Not committed: each change of a comment would change it, too. TypeDoc needs a TypeScript
// with the programming interface of old, so that it is no dependency of ours: it is installed in a temporary project.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENTRIES } from './lib/entries.mjs';
import { root, run } from './lib/run.mjs';

const TOOLS = { typedoc: '0.28.20', 'typedoc-plugin-markdown': '4.14.1', typescript: '6.0.3' };

/** Methods of Node's emitter: the agents only narrow their types. */
const NODES = [
  ...['PoolingAgent', 'PoolingHttpAgent'].flatMap((agent) =>
    ['on', 'once', 'off', 'addListener', 'removeListener', 'prependListener', 'prependOnceListener'].map(
      (method) => `index.${agent}.${method}`,
    ),
  ),
  'index.SocketLike.getCipher.__type.name',
];

const OPTIONS = {
  entryPoints: Object.values(ENTRIES).map((source) => join(root, source)),
  tsconfig: join(root, 'tsconfig.build.json'),
  plugin: ['typedoc-plugin-markdown'],
  out: join(root, 'docs/api'),
  readme: 'none',
  disableSources: true,
  excludeExternals: true,
  excludeInternal: true,
  excludePrivate: true,
  validation: { invalidLink: true, notDocumented: true, notExported: true, rewrittenLink: true },
  requiredToBeDocumented: [
    'Class',
    'Interface',
    'TypeAlias',
    'Function',
    'Variable',
    'Enum',
    'Constructor',
    'Method',
    'Property',
    'Accessor',
  ],
  intentionallyNotDocumented: NODES,
  treatWarningsAsErrors: true,
};

const project = mkdtempSync(join(tmpdir(), 'docs-api-'));
try {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, dependencies: TOOLS }));
  writeFileSync(join(project, 'typedoc.json'), JSON.stringify(OPTIONS));
  // An entry bundles the live page, which is made by a build.
  await must(process.execPath, [join(root, 'scripts/build-page.mjs')]);
  await must('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock', '--silent'], project);
  await must(process.execPath, [join(project, 'node_modules/typedoc/bin/typedoc')], project);
} finally {
  rmSync(project, { recursive: true, force: true });
}

async function must(command, args, cwd = root) {
  const { ok } = await run(command, args, { cwd });
  if (!ok) process.exit(1);
}
