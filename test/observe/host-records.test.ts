/** The records of hosts: how many, which, for how long, and which of them have a histogram. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HostRecords, MAX_HOSTS, MAX_TIMED } from '../../src/observe/host-records.js';
import type { HostRecord } from '../../src/observe/host-records.js';

const KEPT = 1000;

function use(records: HostRecords, i: number, now: number): HostRecord {
  return records.use({ host: `host-${i}`, port: 443 }, now, KEPT);
}

function names(shown: readonly HostRecord[]): string[] {
  return shown.map(({ name }) => name);
}

test('a host has one record, by whatever name it is asked for', () => {
  const records = new HostRecords();
  const record = records.use({ host: '::1', port: undefined }, 0, KEPT);
  assert.equal(record.name, '[::1]:443');
  assert.equal(records.use({ host: '0:0::1', port: '443' }, 0, KEPT), record);
  assert.equal(records.get('[::1]:443'), record);
  const named = records.use({ host: 'Example.COM.', port: 8443 }, 0, KEPT);
  assert.equal(named.name, 'example.com:8443');
  assert.equal(records.use({ host: 'a\u0007b', port: 1 }, 0, KEPT).name, 'a?b:1');
});

test('hosts that hold nothing are forgotten in time, those that hold something never', () => {
  const records = new HostRecords();
  use(records, 1, 0);
  use(records, 2, 0).open++;
  use(records, 3, 0).waiting++;
  use(records, 4, 500);
  assert.deepEqual(
    names(records.shown(KEPT, KEPT)),
    [1, 2, 3, 4].map((i) => `host-${i}:443`),
  );
  assert.deepEqual(
    names(records.shown(KEPT + 1, KEPT)),
    [2, 3, 4].map((i) => `host-${i}:443`),
  );
  assert.equal(records.get('host-1:443'), undefined);
});

test('of hosts that hold nothing the last used ones are remembered, however many come', () => {
  const records = new HostRecords();
  for (let i = 0; i < 10 * MAX_HOSTS; i++) use(records, i, 0).requests++;
  let remembered = 0;
  for (let i = 0; i < 10 * MAX_HOSTS; i++) if (records.get(`host-${i}:443`)) remembered++;
  assert.ok(remembered <= 2 * MAX_HOSTS, `${remembered} are remembered`);
  assert.equal(records.shown(0, KEPT).length, MAX_HOSTS);
});

test('where too many hold something, those are shown, and the busiest', () => {
  const records = new HostRecords();
  for (let i = 0; i < 2 * MAX_HOSTS; i++) {
    const record = use(records, i, 0);
    record.open++;
    record.requests = i;
  }
  use(records, -1, 0).requests = 1e6;
  const shown = new Set(names(records.shown(0, KEPT)));
  assert.equal(shown.size, MAX_HOSTS);
  assert.ok(!shown.has('host--1:443'), 'it holds nothing');
  assert.ok(shown.has(`host-${2 * MAX_HOSTS - 1}:443`) && !shown.has('host-0:443'));
  assert.ok(records.get('host-0:443'), 'what holds something is not forgotten');
});

test('the busiest have a histogram', () => {
  const records = new HostRecords();
  const wait = (record: HostRecord): void => {
    record.queued++;
    records.recordTime(record, 1);
  };
  const first = Array.from({ length: MAX_TIMED }, (_, i) => use(records, i, 0));
  for (const record of first) {
    wait(record);
    wait(record);
  }
  const late = use(records, MAX_TIMED, 0);
  wait(late);
  wait(late);
  assert.equal(late.timeInQueue, undefined);
  wait(late);
  assert.equal(records.get(late.name)?.timeInQueue?.count, 1);
  assert.equal(first.filter(({ timeInQueue }) => timeInQueue).length, MAX_TIMED - 1);
});

test('a host that was forgotten takes no histogram, and is back when something of it is opened', () => {
  const records = new HostRecords();
  const record = use(records, 1, 0);
  records.shown(KEPT + 1, KEPT);
  record.queued++;
  records.recordTime(record, 1);
  assert.equal(record.timeInQueue, undefined);
  record.open++;
  records.keep(record);
  assert.deepEqual(records.shown(KEPT + 1, KEPT), [record]);
});
