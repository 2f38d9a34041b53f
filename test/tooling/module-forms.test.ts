/** How the published modules load what they need: both forms declare the same names, and the ES module imports next to nothing of Node's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const forms = (await import(new URL('../../../scripts/lib/module-forms.mjs', import.meta.url).href)) as {
  toEsModule(code: string): string;
  toCommonJs(code: string): string;
  toLateFile(
    code: string,
    isGiven: (specifier: string) => boolean,
  ): { commonJs: string; esModule: string; needs: Map<string, Set<string>> };
};

const BUNDLE = `import { Agent } from "node:https";
import * as timers from "node:timers";
import net, { isIP as ip } from "node:net";
import { LRUCache } from "lru-cache";
import { other } from "#main";
const agent = () => lateRequire("./tunnel.cjs").create(Agent);
const short=()=>lateRequire(\`other\`);
export { agent, ip as isIP };
`;

test('an ES module asks Node for its modules: to import one loads more than is used of it', () => {
  assert.deepEqual(forms.toEsModule(BUNDLE).split('\n'), [
    'import { Agent } from "node:https";',
    'const timers = process.getBuiltinModule("node:timers");',
    'const net = process.getBuiltinModule("node:net"); const { isIP: ip } = process.getBuiltinModule("node:net");',
    'import { LRUCache } from "lru-cache";',
    'import { other } from "#main";',
    'const agent = () => process.getBuiltinModule("node:module").createRequire(import.meta.url)("./tunnel.cjs").create(Agent);',
    'const short=()=>process.getBuiltinModule("node:module").createRequire(import.meta.url)("other");',
    'export { agent, ip as isIP };',
    '',
  ]);
});

test('a CommonJS module requires them', () => {
  const [first, ...rest] = forms.toCommonJs(BUNDLE).split('\n');
  assert.match(first as string, /^"use strict";.*const \{ Agent \} = require\("node:https"\);$/);
  assert.deepEqual(rest, [
    'const timers = require("node:timers");',
    'const net = require("node:net"); const { isIP: ip } = require("node:net");',
    'const { LRUCache } = require("lru-cache");',
    'const { other } = require("./index.cjs");',
    'const agent = () => require("./tunnel.cjs").create(Agent);',
    'const short=()=>require("other");',
    'module.exports = { agent, isIP: ip };',
    '',
  ]);
});

test('a file that is loaded late is a function of modules of other files', () => {
  const code = `import net, { isIP as ip } from "node:net";
import { A, B as C } from "given:a.ts";
import tls, { TLSSocket } from "given:node:tls";
import "given:b.ts";
const made = () => new A(C, net, ip, import.meta.url);
export { made, C as again };
//# sourceMappingURL=late.js.map
`;
  const { commonJs, esModule, needs } = forms.toLateFile(code, (specifier) => specifier.startsWith('given:'));
  assert.deepEqual(
    needs,
    new Map([
      ['given:a.ts', new Set(['A', 'B'])],
      ['given:node:tls', new Set(['default', 'TLSSocket'])],
    ]),
  );
  const [head, ...rest] = commonJs.split('\n');
  assert.equal(
    head,
    '"use strict";exports.create = (function (givenModules) { const net = require("node:net"); const { isIP: ip } = require("node:net");',
  );
  assert.deepEqual(rest, [
    'const { A, B: C } = givenModules["given:a.ts"];',
    'const { default: tls, TLSSocket } = givenModules["given:node:tls"];',
    '',
    'const made = () => new A(C, net, ip, __filename);',
    'return { made, again: C }; });',
    '//# sourceMappingURL=late.js.map',
    '',
  ]);
  const [first, ...same] = esModule.split('\n');
  assert.match(
    first as string,
    /^export const create = \(function \(givenModules\) \{ const net = process\.getBuiltinModule\("node:net"\);/,
  );
  assert.deepEqual(
    same.map((line) => line.replace('import.meta.url', '__filename')),
    rest,
  );
});

test('the parameter of that function is a name that the code must not have', () => {
  const isGiven = (): boolean => false;
  assert.throws(() => forms.toLateFile('function givenModules() {}', isGiven), /givenModules/);
});
