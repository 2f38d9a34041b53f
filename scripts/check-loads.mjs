// `npm run check:loads`: loads the package, as it would be published, wherever Node code is loaded. It is put into small real projects: test runners,
// bundlers whose bundles are run, and versions of TypeScript. A line for each combination; a combination counts only where a project without the package works.
// `-- --all`: also every version of Node's typings with every compiler and kind of module, which takes several minutes more. `-- --only NAME` runs
// those with NAME in their titles. Installed tools stay in the folder for temporary files for the next run.
import { rmSync } from 'node:fs';
import { bundlerCases } from './loads/bundlers.mjs';
import { install, must, pack, temp } from './loads/projects.mjs';
import { runnerCases } from './loads/runners.mjs';
import { copyCases, otherRuntimes } from './loads/runtimes.mjs';
import { typeCases } from './loads/typescript.mjs';

const only = process.argv[process.argv.indexOf('--only') + 1];
const isWanted = (title) => !process.argv.includes('--only') || title.includes(only);

const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  await must('npm', ['run', '--silent', 'build']);
  const tarball = await pack();
  const projects = [
    ...runnerCases(),
    ...bundlerCases(),
    ...copyCases(),
    ...otherRuntimes(),
    ...typeCases(process.argv.includes('--all')),
  ];
  const wanted = projects.filter(({ title }) => isWanted(title));
  const groups = [...new Set(wanted.flatMap(({ group, needs = [] }) => [group, ...needs]))].filter(Boolean);
  const missing = new Set();
  for (const group of groups) if (!(await install(group, tarball))) missing.add(group);
  const queue = wanted.values();
  await Promise.all([1, 2].map(() => work(queue, missing)));
} finally {
  rmSync(temp, { recursive: true, force: true });
}
console.log(`${counts.passed} work, ${counts.failed} do not, ${counts.skipped} skipped`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function work(queue, missing) {
  for (const { title, group, needs = [], check } of queue) {
    const begun = performance.now();
    const isMissing = [group, ...needs].some((one) => missing.has(one));
    const wrong = isMissing ? 'skipped: not to be had here' : await check();
    const time = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
    if (wrong === undefined) counts.passed++;
    else if (wrong.startsWith('skipped')) counts.skipped++;
    else counts.failed++;
    const mark = wrong === undefined ? '✔' : wrong.startsWith('skipped') ? '-' : '✖';
    console.log(`${mark} ${title} (${wrong?.startsWith('skipped') ? wrong : time})`);
    if (mark === '✖') console.log(wrong.trim().slice(0, 4000).replaceAll(/^/gm, '    '));
  }
}
