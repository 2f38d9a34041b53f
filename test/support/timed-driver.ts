/** A driver of the pool with a clock, and with connections that age as a test says: for the moments at which the pool decides otherwise. */
import assert from 'node:assert/strict';
import { HostPool, Waiter } from '../../src/pool/records.js';
import type { Connection } from '../../src/pool/records.js';
import { BareDriver } from './bare-driver.js';
import type { BareKinds } from './bare-driver.js';

type Conn = Connection<BareKinds>;

export class TimedDriver extends BareDriver {
  time = 0;
  /** The ages of connections that become idle. */
  ages = { expires: Infinity, safe: Infinity, validate: Infinity };
  readonly unusable = new Set<Conn>();
  /** Whether a connection that has rested may be leased at once. */
  isRested = true;
  /** Requests of the answers that `isReadyToLease` was asked for. */
  readonly asked: unknown[] = [];
  readonly assigned: unknown[] = [];
  readonly reasons: unknown[] = [];
  readonly host = new HostPool<BareKinds>(0, this.pool.limits);

  override now(): number {
    return this.time;
  }

  override prepareIdle(connection: Conn): boolean {
    const { expires, safe, validate } = this.ages;
    connection.idleSince = this.time;
    connection.expiresAt = Math.min(this.time + expires, connection.retireAt);
    connection.safeUntil = this.time + safe;
    connection.validateAt = this.time + validate;
    return true;
  }

  override usable(connection?: Conn): boolean {
    return !connection || !this.unusable.has(connection);
  }

  override isReadyToLease(_connection?: Conn, _now?: number, req?: object): boolean {
    this.asked.push(req);
    return this.isRested;
  }

  override assign(_connection: Conn, waiter: Waiter<BareKinds>): void {
    this.assigned.push(waiter.request);
  }

  override close(connection: Conn): void {
    this.reasons.push(connection.closeReason);
    super.close(connection);
  }

  ask(name: string, replay: 'replayable' | 'unreplayable' = 'replayable'): Waiter<BareKinds> {
    const waiter = new Waiter<BareKinds>(this.host, name, replay);
    this.pool.enqueue(waiter);
    return waiter;
  }

  /** A connection that has a request. */
  open(): Conn {
    const before = new Set(this.host.connections);
    this.ask('first');
    this.pool.turn();
    const opened = [...this.host.connections].find((connection) => !before.has(connection));
    assert.equal(opened?.state, 'active');
    return opened;
  }

  /** Connections that became idle one after another, a millisecond apart. */
  openIdle(count: number): Conn[] {
    const connections = Array.from({ length: count }, () => this.open());
    for (const connection of connections) {
      this.pool.release(connection);
      this.time++;
    }
    return connections;
  }
}
