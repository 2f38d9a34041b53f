/** The driver of a pool that two agents share: passes each order and question on to the driver of the agent whose host it is about. */
import type { CloseReason } from '../pool/close-reason.js';
import type { Driver } from '../pool/driver.js';
import type { Connection, Waiter } from '../pool/records.js';
import type { Refusal } from '../pool/refusal.js';
import type { Host } from './hosts.js';
import type { AgentKinds } from './pooled-socket.js';

type Conn = Connection<AgentKinds>;
type PoolWaiter = Waiter<AgentKinds>;
type OneDriver = Driver<AgentKinds>;

export class SharedDriver implements OneDriver {
  readonly #drivers = new Map<string, OneDriver>();
  /** Answers where no host is concerned: the clock and the end of a turn are common to all agents. */
  #any: OneDriver | undefined;

  /** @param protocol that of the hosts */
  add(protocol: string, driver: OneDriver): void {
    this.#drivers.set(protocol, driver);
    this.#any = driver;
  }

  #of({ origin }: Host): OneDriver {
    return this.#drivers.get(origin.protocol.name) as OneDriver;
  }

  now(): number {
    return (this.#any as OneDriver).now();
  }

  schedule(): void {
    this.#any?.schedule();
  }

  dial(connection: Conn, waiter: PoolWaiter): void {
    this.#of(connection.host).dial(connection, waiter);
  }

  assign(connection: Conn, waiter: PoolWaiter): void {
    this.#of(connection.host).assign(connection, waiter);
  }

  prepareIdle(connection: Conn): boolean {
    return this.#of(connection.host).prepareIdle(connection);
  }

  usable(connection: Conn): boolean {
    return this.#of(connection.host).usable(connection);
  }

  isReadyForNext(connection: Conn): boolean {
    return this.#of(connection.host).isReadyForNext(connection);
  }

  isReadyToIdle(connection: Conn): boolean {
    return this.#of(connection.host).isReadyToIdle(connection);
  }

  isReadyToLease(connection: Conn, now: number, req: object | undefined): boolean {
    return this.#of(connection.host).isReadyToLease(connection, now, req);
  }

  validateSoon(connection: Conn): void {
    this.#of(connection.host).validateSoon(connection);
  }

  validate(connection: Conn): boolean {
    return this.#of(connection.host).validate(connection);
  }

  close(connection: Conn, reason: CloseReason, error?: unknown): void {
    this.#of(connection.host).close(connection, reason, error);
  }

  gone(connection: Conn): void {
    this.#of(connection.host).gone(connection);
  }

  ready(spare: PoolWaiter, connection: Conn): void {
    this.#of(connection.host).ready(spare, connection);
  }

  short(host: Host): void {
    this.#of(host).short(host);
  }

  reject(waiter: PoolWaiter, error: unknown): void {
    this.#of(waiter.host).reject(waiter, error);
  }

  refuse(waiter: PoolWaiter, refusal: Refusal): void {
    this.#of(waiter.host).refuse(waiter, refusal);
  }

  saturated(host: Host): void {
    this.#of(host).saturated(host);
  }

  drained(host: Host): void {
    this.#of(host).drained(host);
  }

  retire(host: Host): void {
    this.#of(host).retire(host);
  }
}
