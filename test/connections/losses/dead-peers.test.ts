/** The errors which say that a peer is dead, and others that only look like these. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, deadAddress } from '../../../src/connections/losses/dead-peers.js';

const OWN = addressOf('192.0.2.1', 443);
const connect = { code: 'ETIMEDOUT', syscall: 'connect', address: '192.0.2.7', port: 8443 };

test('a connect that timed out names its address', () => {
  assert.equal(deadAddress(Object.assign(new Error(), connect), OWN), addressOf('192.0.2.7', 8443));
});

test('a connection that timed out, or to which no way leads, names none: it is its own', () => {
  for (const code of ['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH']) {
    assert.equal(deadAddress(Object.assign(new Error(), { code, syscall: 'read' }), OWN), OWN);
  }
  assert.equal(
    deadAddress(Object.assign(new Error(), { code: 'ETIMEDOUT', syscall: 'read' }), undefined),
    undefined,
  );
});

test('of several addresses that were tried, only the last had all the time it needed', () => {
  const tried = (...errors: object[]) =>
    Object.assign(new AggregateError(errors.map((error) => Object.assign(new Error(), error))), connect);
  const refused = { code: 'ECONNREFUSED', syscall: 'connect', address: '192.0.2.8', port: 8443 };
  assert.equal(deadAddress(tried(refused, connect), OWN), addressOf('192.0.2.7', 8443));
  assert.equal(deadAddress(tried(connect, refused), OWN), undefined);
  assert.equal(deadAddress(tried(), OWN), undefined);
});

test('a peer that answers, or a client that ran out of patience, is no dead peer', () => {
  for (const code of ['ECONNRESET', 'EPIPE', 'ECONNREFUSED', undefined]) {
    assert.equal(deadAddress(Object.assign(new Error(), { code, syscall: 'read' }), OWN), undefined);
  }
  assert.equal(deadAddress(Object.assign(new Error(), { code: 'ETIMEDOUT' }), OWN), undefined);
  assert.equal(deadAddress(undefined, OWN), undefined);
  assert.equal(deadAddress('ETIMEDOUT', OWN), undefined);
});
