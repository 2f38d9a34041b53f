/** A driver of the pool that does nothing: connects and closes at once, keeps everything. For the pool's decisions alone. */
import type { Connection, Waiter } from '../../src/pool/records.js';
import type { Driver } from '../../src/pool/driver.js';
import type { Limits } from '../../src/pool/limits.js';
import { Pool } from '../../src/pool/pool.js';
import { limitsWith } from './limits.js';

export interface BareKinds {
  origin: number;
  pooled: true;
  request: unknown;
  learned: undefined;
  route: undefined;
}

export class BareDriver implements Driver<BareKinds> {
  readonly pool: Pool<BareKinds>;

  constructor(limits: Partial<Limits>) {
    this.pool = new Pool<BareKinds>(this, limitsWith(limits));
  }

  dial(connection: Connection<BareKinds>): void {
    connection.pooled = true;
    this.pool.connected(connection);
  }
  assign(_connection: Connection<BareKinds>, _waiter: Waiter<BareKinds>): void {}
  now(): number {
    return 0;
  }
  prepareIdle(connection: Connection<BareKinds>): boolean {
    connection.idleSince = 0;
    return true;
  }
  usable(): boolean {
    return true;
  }
  isReadyForNext(): boolean {
    return true;
  }
  isReadyToIdle(): boolean {
    return true;
  }
  isReadyToLease(): boolean {
    return true;
  }
  validateSoon(connection: Connection<BareKinds>): void {
    this.pool.validated(connection);
  }
  validate(): boolean {
    return true;
  }
  close(connection: Connection<BareKinds>): void {
    this.pool.closed(connection);
  }
  gone(): void {}
  ready(_spare: Waiter<BareKinds>, _connection: Connection<BareKinds>): void {}
  short(): void {}
  reject(_waiter: Waiter<BareKinds>, _error: unknown): void {}
  refuse(): void {}
  saturated(): void {}
  drained(): void {}
  schedule(): void {}
  retire(): void {}
}
