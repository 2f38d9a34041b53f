/** Identities that were dropped: no later request gets one, and what has come in their place stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Identities } from '../../../src/identity/identity.js';
import { HTTP } from '../../../src/identity/protocol.js';
import { identities } from './support.js';

const options = { host: 'a', port: 443 };
const closure = (): { checkServerIdentity: () => undefined } => ({ checkServerIdentity: () => undefined });

test('one without connections is made anew for the next request, which may have the very same options', () => {
  const all = identities();
  const origin = all.resolve(options, {}, undefined);
  all.retire(origin);
  const next = all.resolve(options, {}, undefined);
  assert.notEqual(next, origin);
  assert.equal(all.resolve(options, {}, undefined), next);
});

test('nor does one come back when requests of several kinds take turns', () => {
  const all = identities();
  const others = { host: 'a', port: 443, ciphers: 'A' };
  const origin = all.resolve(options, {}, undefined);
  all.resolve(others, {}, undefined);
  all.retire(origin);
  const next = all.resolve(options, {}, undefined);
  assert.notEqual(next, origin);
  all.resolve(others, {}, undefined);
  assert.equal(all.resolve(options, {}, undefined), next);
});

test('the last connection of an old one, closed late, takes nothing from the new one', () => {
  const all = identities();
  const old = all.resolve(options, {}, undefined);
  all.retire(old);
  const next = all.resolve(options, {}, undefined);
  all.retire(old);
  assert.equal(all.resolve({ ...options }, {}, undefined), next);
  assert.equal(next.profile.origins.get(next.key), next);
  assert.equal(next.profile.origins.size, 1);
});

test('retiring one leaves the identity of the last request', () => {
  const all = identities();
  const one = all.resolve(options, {}, undefined);
  const last = all.resolve({ ...options, port: 444 }, {}, undefined);
  all.retire(one);
  assert.equal(all.resolve({ ...options, port: 444 }, {}, undefined), last);
});

test('a profile that was dropped for newer ones is not found by the options of a while ago', () => {
  const all = identities();
  const origin = all.resolve(options, {}, undefined);
  // Their number is the greatest that is kept, so the profile goes.
  const newer = Array.from({ length: 256 }, (_, i) => ({ ...options, ciphers: `C${i}` }));
  for (const one of newer) all.resolve(one, {}, undefined);
  assert.notEqual(all.resolve(options, {}, undefined), origin);

  const agent = { ciphers: 'A' };
  const held = all.resolve(options, agent, undefined);
  all.renew();
  assert.notEqual(all.resolve(options, agent, undefined), held);
});

test('a function that came once leaves nothing when its connection is closed; one that came twice stays', () => {
  const all = identities();
  const [once, twice] = [
    { ...options, ...closure() },
    { ...options, ...closure() },
  ];
  const first = all.resolve(once, {}, undefined);
  const second = all.resolve(twice, {}, undefined);
  assert.equal(all.size, 2);
  assert.equal(all.resolve(twice, {}, undefined), second);
  assert.equal(second.profile.onProbation, false);
  assert.equal(first.profile.onProbation, true);
  all.retire(first);
  all.retire(second);
  assert.equal(all.size, 1);
  assert.equal(all.resolve({ ...twice }, {}, undefined).profile, second.profile);
});

test('what is known of one stays while its request is the last; the next request ends that', () => {
  const all = identities();
  const once = { ...options, ...closure() };
  const origin = all.resolve(once, {}, undefined);
  all.retire(origin);
  // The request may be sent again, over a new connection.
  assert.equal(all.size, 1);
  assert.equal(all.resolve(once, {}, undefined).profile, origin.profile);

  const another = { ...options, ...closure() };
  all.retire(all.resolve(another, {}, undefined));
  assert.equal(all.size, 2);
  all.resolve(options, {}, undefined);
  // The one that came twice, and that of the last request.
  assert.equal(all.size, 2);
});

test('functions of the agent are on no probation, and count among the ordinary ones', () => {
  const all = identities();
  const agent = closure();
  const origin = all.resolve(options, agent, undefined);
  assert.equal(origin.profile.onProbation, false);
  all.retire(origin);
  all.resolve({ ...options, ciphers: 'A' }, {}, undefined);
  assert.equal(all.size, 2);
});

test('the sizes of all kinds add up', () => {
  const all = identities();
  const twice = { ...options, ...closure() };
  all.resolve(twice, {}, undefined);
  all.resolve(twice, {}, undefined);
  all.resolve(options, {}, undefined);
  all.resolve({ ...options, ...closure() }, {}, undefined);
  assert.equal(all.size, 3);
});

test('a dial without TLS gets no server name, and no member of the host part that the request does not have', () => {
  const all = new Identities<object>(
    () => ({}),
    () => {},
    HTTP,
  );
  const origin = all.resolve({ host: 'a', port: 80 }, {}, undefined);
  const dial: Record<string, unknown> = { host: 'b', port: 81, family: 4, path: '/' };
  origin.applyTo(dial);
  assert.deepEqual(dial, { host: 'a', port: 80, path: '/' });
  assert.equal(Object.hasOwn(dial, 'servername'), false);
  assert.ok(origin.isOf(dial));
  assert.equal(origin.port, 80);
  assert.equal(origin.defaultPort, 80);
});
