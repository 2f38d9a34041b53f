// Makes the live page (src/inspect) from page/: one file of HTML with its script, its style and uPlot in it, as a module that holds it as a string.
// It is made by each build, and no part of the repository.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { root } from './lib/run.mjs';

const TARGET = join(root, 'src/inspect/page-html.ts');

const HEAD = `/** The live page, made from page/ by scripts/build-page.mjs. Do not edit it. */
`;

export async function buildPage() {
  const html = read('page/index.html');
  const style = withoutSpace(read('node_modules/uplot/dist/uPlot.min.css') + read('page/style.css'));
  const script = await bundled();
  // The parser of HTML looks for these whatever surrounds them.
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style)) throw new Error('the page would end early');
  const page = html
    .replaceAll(/^\s+/gm, '')
    .replace('/*STYLE*/', () => style)
    .replace('/*SCRIPT*/', () => script);
  const text = `${HEAD}\n/** In an object, because bundlers put a constant wherever it is used. */\nexport const page: { readonly html: string } = { html: ${JSON.stringify(page)} };\n`;
  // An unchanged file stays as old as it is: builds that go by age have nothing to do.
  if (readIfThere(TARGET) !== text) writeFileSync(TARGET, text);
}

async function bundled() {
  const bundle = await rolldown({
    input: join(root, 'page/main.ts'),
    platform: 'browser',
    tsconfig: join(root, 'page/tsconfig.json'),
  });
  const { output } = await bundle.generate({ format: 'iife', minify: true });
  await bundle.close();
  const { version } = JSON.parse(read('node_modules/uplot/package.json'));
  // Its licence asks for this.
  return `/* uPlot ${version}, ${read('node_modules/uplot/LICENSE').replaceAll(/\s+/g, ' ').trim()} */${output[0].code.trim()}`;
}

function withoutSpace(css) {
  return css
    .replaceAll(/\/\*[^]*?\*\//g, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?([{};,>]) ?/g, '$1')
    .trim();
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await buildPage();
