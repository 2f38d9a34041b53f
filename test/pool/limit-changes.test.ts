/** Limits that hosts share, and limits that are changed: how many connections are closed for them, which, and not one too many. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import '../support/audit.js';
import type { BareKinds } from '../support/bare-driver.js';
import { hostLimitsWith } from '../support/limits.js';
import { TimedDriver } from '../support/timed-driver.js';
import { MAX_OVERTAKES } from '../../src/pool/capacity.js';
import type { HostLimits } from '../../src/pool/limits.js';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';

type Conn = Connection<BareKinds>;
type Host = HostPool<BareKinds>;

class ManyDriver extends TimedDriver {
  answers = true;
  closes = true;

  override dial(connection: Conn): void {
    connection.pooled = true;
    if (this.answers) this.pool.connected(connection);
  }

  override close(connection: Conn): void {
    if (this.closes) super.close(connection);
    else this.reasons.push(connection.closeReason);
  }

  another(origin: number, limits: HostLimits = this.pool.limits, via?: HostLimits): Host {
    const host = new HostPool<BareKinds>(origin, limits);
    this.pool.limit(host, limits, via);
    return host;
  }

  askOf(host: Host, name: string): Waiter<BareKinds> {
    const waiter = new Waiter<BareKinds>(host, name);
    this.pool.enqueue(waiter);
    this.pool.turn();
    return waiter;
  }

  /** A connection of `host` that has a request. */
  openAt(host: Host): Conn {
    const before = new Set(host.connections);
    this.askOf(host, 'first');
    const opened = [...host.connections].find((connection) => !before.has(connection));
    assert.equal(opened?.state, 'active');
    return opened;
  }
}

/** How many of them are idle still: the last of so many, since the least recently used go first. */
function idleOf(connections: readonly Conn[]): number {
  const count = connections.filter(({ state }) => state === 'idle').length;
  for (const { state } of connections.slice(connections.length - count)) assert.equal(state, 'idle');
  return count;
}

test('a lowered limit closes as many idle connections as are above it, the least recently used ones', () => {
  for (const limit of ['maxSockets', 'maxTotalSockets', 'maxFreeSockets', 'maxTotalFreeSockets'] as const) {
    const d = new ManyDriver({});
    const connections = d.openIdle(5);
    for (const value of [5, 3, 1]) {
      d.pool.limits[limit] = value;
      d.pool.limitsChanged();
      assert.equal(idleOf(connections), value, limit);
    }
  }
});

test('connections that are closing already count as closed, for all but the slots', () => {
  for (const limit of ['maxSockets', 'maxTotalSockets'] as const) {
    const d = new ManyDriver({});
    const connections = d.openIdle(5);
    d.closes = false;
    for (const connection of connections.slice(0, 2)) d.pool.close(connection, 'surplus');
    d.pool.limits[limit] = 3;
    d.pool.limitsChanged();
    assert.equal(idleOf(connections), 3, limit);
    const used = d.pool.lease(d.host);
    assert.ok(used);
    d.pool.release(used);
    assert.equal(used.state, 'idle', 'nor is it too many after its exchange');
  }
});

test('below a lowered total limit, connections are closed after their exchange', () => {
  const d = new ManyDriver({});
  const [first, second] = [d.open(), d.open()];
  d.pool.limits.maxTotalSockets = 1;
  d.pool.limitsChanged();
  assert.deepEqual([first.state, second.state], ['active', 'active']);
  d.pool.release(first);
  d.pool.release(second);
  assert.deepEqual([first.state, second.state], ['closed', 'idle']);
});

/** Two hosts that share one slot: by the limit of a proxy, or by that of the pool. */
const SHARED: Record<string, () => { d: ManyDriver; a: Host; b: Host }> = {
  'behind one proxy': () => {
    const d = new ManyDriver({});
    const via = hostLimitsWith({ maxSockets: 1 });
    const [a, b] = [1, 2].map((origin) => d.another(origin, d.pool.limits, via)) as [Host, Host];
    return { d, a, b };
  },
  'in a pool': () => {
    const d = new ManyDriver({ maxTotalSockets: 1 });
    const [a, b] = [1, 2].map((origin) => d.another(origin)) as [Host, Host];
    return { d, a, b };
  },
};

/** Requests of `host` that are served on `connection`, one after the other, while it has that. At most 1000. */
function serveOn(d: ManyDriver, host: Host, connection: Conn, most = 1000): number {
  for (let served = 0; served < most; served++) {
    if (connection.state !== 'active') return served;
    if (host.waiting.size === 0) d.askOf(host, 'next');
    d.pool.release(connection);
    d.pool.turn();
  }
  return most;
}

for (const [name, share] of Object.entries(SHARED)) {
  test(`hosts ${name} share its limit, and take turns`, () => {
    const { d, a, b } = share();
    const connection = d.openAt(a);
    assert.equal(serveOn(d, a, connection, 50), 50, 'nobody else waits');
    const waiter = d.askOf(b, 'waits');
    assert.equal(waiter.state, 'queued');
    assert.equal(serveOn(d, a, connection), MAX_OVERTAKES + 1);
    assert.equal(connection.closeReason, 'evicted');
    assert.equal(d.assigned.at(-1), 'waits');
    const [other] = b.connections;
    assert.ok(other);
    d.pool.release(other);
    d.pool.turn();
    assert.equal(d.assigned.at(-1), 'next', 'an idle connection makes room for the other host');
    assert.equal(other.closeReason, 'evicted');
  });

  test(`a host ${name} whose own turn it is keeps its slot for one turn more`, () => {
    const { d, a, b } = share();
    const connection = d.openAt(a);
    d.askOf(a, 'waits first');
    d.askOf(b, 'waits');
    let served = 0;
    while (connection.state === 'active' && served < 1000) {
      d.askOf(a, 'next');
      d.pool.release(connection);
      d.pool.turn();
      served++;
    }
    assert.equal(served, 2 * (MAX_OVERTAKES + 1));
    assert.equal(d.assigned.at(-1), 'waits');
  });
}

test('above the lowered limit of a proxy, idle connections are closed, those in use after their exchange', () => {
  const d = new ManyDriver({});
  const via = { ...hostLimitsWith({ maxSockets: 4 }) };
  const [a, b] = [1, 2].map((origin) => d.another(origin, d.pool.limits, via)) as [Host, Host];
  const used = [d.openAt(a), d.openAt(b)] as const;
  const idle = [d.openAt(a), d.openAt(b)] as const;
  for (const connection of idle) d.pool.release(connection);
  Object.assign(via, { maxSockets: 3 });
  d.pool.limitsChanged();
  assert.deepEqual([idle[0].state, idle[1].state], ['closed', 'idle']);
  Object.assign(via, { maxSockets: 1 });
  d.pool.limitsChanged();
  assert.equal(idle[1].state, 'closed');
  d.pool.release(used[0]);
  d.pool.release(used[1]);
  assert.deepEqual([used[0].state, used[1].state], ['closed', 'idle']);
});

test('a connection that is opened for no request gives up its slot at a proxy to a host that needs it, and no other does', () => {
  const d = new ManyDriver({});
  const via = hostLimitsWith({ maxSockets: 2 });
  const [a, b, c] = [1, 2, 3].map((origin) => d.another(origin, d.pool.limits, via)) as [Host, Host, Host];
  d.answers = false;
  const elsewhere = new Waiter<BareKinds>(d.host, 'elsewhere');
  const awaited = new Waiter<BareKinds>(b, 'awaited');
  const needless = new Waiter<BareKinds>(a, 'needless');
  for (const spare of [elsewhere, awaited, needless]) assert.equal(d.pool.spares.open(spare), undefined);
  d.askOf(b, 'counts on it');
  d.askOf(c, 'needs a slot');
  assert.deepEqual([elsewhere.state, awaited.state, needless.state], ['spare', 'spare', 'done']);
  assert.equal(c.connections.size, 1);
});

test('reserved slots are left free by connections that are opened for no request, but for those that they are reserved for', () => {
  const d = new ManyDriver({ maxTotalSockets: 3 });
  const reserving = hostLimitsWith({ reserve: 1 }, d.pool.limits);
  d.pool.rulesChanged(() => d.pool.limits, [reserving]);
  const reserved = d.another(1, reserving);
  d.answers = false;
  const open = (host: Host): string | undefined => d.pool.spares.open(new Waiter<BareKinds>(host, 'spare'));
  assert.deepEqual([open(d.host), open(d.host), open(d.host)], [undefined, undefined, 'maxTotalSockets']);
  assert.deepEqual([open(reserved), open(reserved)], [undefined, 'maxTotalSockets']);
  d.askOf(d.another(2), 'needs a slot');
  assert.deepEqual(
    [d.host.connections.size, reserved.connections.size],
    [1, 1],
    'one of those that were not reserved',
  );
});

test('a rule that leaves a host out leaves out its idle connections, too', () => {
  for (const kind of ['reservation', 'gateway'] as const) {
    const d = new ManyDriver({ maxTotalSockets: 9 });
    const [a, b] = [d.another(1), d.another(2)];
    const rule = hostLimitsWith({ reserve: 2, maxSockets: 5 }, d.pool.limits);
    const cover = (hosts: readonly Host[]): void => {
      const limitsOf = (host: Host): HostLimits => (hosts.includes(host) ? rule : d.pool.limits);
      if (kind === 'reservation') d.pool.rulesChanged(limitsOf, [rule]);
      else
        d.pool.rulesChanged(
          () => d.pool.limits,
          [],
          (host) => (hosts.includes(host) ? rule : undefined),
        );
    };
    const group = () =>
      (kind === 'reservation' ? d.pool.capacity.reservations : d.pool.capacity.gateways).get(rule);
    const [one, other] = [d.openAt(a), d.openAt(b)];
    cover([a, b]);
    d.pool.release(one);
    d.pool.release(other);
    assert.deepEqual([...(group()?.idle ?? [])], [one, other]);
    cover([a]);
    assert.deepEqual([...(group()?.idle ?? [])], [one], kind);
    assert.equal(group()?.size, 1);
    cover([b, a]);
    assert.deepEqual([...(group()?.idle ?? [])], [one, other], kind);
    cover([]);
    d.pool.close(one, 'surplus');
    cover([a, b]);
    assert.deepEqual([...(group()?.idle ?? [])], [other], kind);
  }
});

test('a host that has waited for a slot of all, and then lacks one at its proxy, has an idle connection there make room', () => {
  const d = new ManyDriver({ maxTotalSockets: 2 });
  const via = hostLimitsWith({ maxSockets: 1 });
  const reserving = hostLimitsWith({ reserve: 1 }, d.pool.limits);
  d.pool.rulesChanged(() => d.pool.limits, [reserving]);
  const [reserved, waiting] = [d.another(1, reserving, via), d.another(2, d.pool.limits, via)];
  const other = d.openAt(d.host);
  const waiter = d.askOf(waiting, 'waits');
  const idle = d.openAt(reserved);
  d.pool.release(idle);
  assert.deepEqual([waiter.state, idle.state], ['queued', 'idle'], 'its slot is reserved');
  d.pool.close(other, 'surplus');
  d.pool.turn();
  assert.equal(idle.closeReason, 'evicted');
  assert.equal(waiter.state, 'done');
});
