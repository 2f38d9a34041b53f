/** How the published modules load what they need: both forms declare the same names, and the ES module imports next to nothing of Node's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

const forms = (await import(new URL('../../../scripts/lib/module-forms.mjs', import.meta.url).href)) as {
  toEsModule(code: string): string;
  toCommonJs(code: string): string;
};

const BUNDLE = `import { Agent } from "node:https";
import * as timers from "node:timers";
import net, { isIP as ip } from "node:net";
import { LRUCache } from "lru-cache";
import { other } from "./index.js";
const agent = Agent;
export { agent, ip as isIP };
`;

test('an ES module asks Node for its modules: to import one loads more than is used of it', () => {
  assert.deepEqual(forms.toEsModule(BUNDLE).split('\n'), [
    'import { Agent } from "node:https";',
    'const timers = process.getBuiltinModule("node:timers");',
    'const net = process.getBuiltinModule("node:net"); const { isIP: ip } = process.getBuiltinModule("node:net");',
    'import { LRUCache } from "lru-cache";',
    'import { other } from "./index.js";',
    'const agent = Agent;',
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
    'const agent = Agent;',
    'module.exports = { agent, isIP: ip };',
    '',
  ]);
});
